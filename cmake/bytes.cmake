# Bytes as a C array. Bytes and not string literals, whose length C limits.

# Sets `out` to a definition of `static const unsigned char <name>[]` from bytes in hexadecimal digits.
function(byte_array name digits out)
  string(REPEAT "[0-9a-f]" 64 line_pattern)
  string(REGEX REPLACE "(${line_pattern})" "\\1\n" digits "${digits}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," digits "${digits}")
  set(${out} "static const unsigned char ${name}[] = {\n${digits}\n};\n" PARENT_SCOPE)
endfunction()
