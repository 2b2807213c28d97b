# Rate over size, log-log: gnuplot -e "data='size.csv'; out='rate.svg'" rate.gp
set terminal svg size 800,520 font "Helvetica,14" background "white"
set output out
set datafile separator comma
set logscale x 2
set logscale y 10
set xlabel "size of the tensor"
set ylabel "GB/s"
set title "Uniform f32, from the call to finished"
set xtics ("1 KiB" 2**10, "16 KiB" 2**14, "256 KiB" 2**18, "4 MiB" 2**22, "64 MiB" 2**26, "1 GiB" 2**30)
set mxtics 1
set xrange [2**10:2**30*1.01]
set grid xtics ytics lc rgb "#dddddd"
set key bottom right
set border 3
set tics nomirror
plot data using 1:"limit" with linespoints lw 2 dt 2 pt 0 lc rgb "#444444" title "limit: AVX-512 by hand", \
     data using 1:"fanin" with linespoints lw 3 pt 7 ps 0.6 lc rgb "#0060ad" title "fanin", \
     data using 1:"torch" with linespoints lw 2 pt 5 ps 0.5 lc rgb "#dd4b39" title "PyTorch", \
     data using 1:"numpy" with linespoints lw 2 pt 9 ps 0.6 lc rgb "#2e8b57" title "NumPy SFC64", \
     data using 1:"numpy-philox" with linespoints lw 2 pt 11 ps 0.6 lc rgb "#9467bd" title "NumPy Philox", \
     data using 1:"pyopencl" with linespoints lw 2 pt 13 ps 0.6 lc rgb "#e69f00" title "PyOpenCL Philox"
