# Do the links of a site lead somewhere? cd html && find . -type f | awk -f check.awk - ./*.html
FNR == 1 {
  page = FILENAME
  sub(/^\.\//, "", page)
}
FILENAME == "-" {
  sub(/^\.\//, "")
  exists[$0] = 1
  next
}
{
  line = $0
  while (match(line, / (id|name)="[^"]*"/)) {
    anchor = substr(line, RSTART, RLENGTH)
    gsub(/^ [a-z]+="|"$/, "", anchor)
    anchors[page "#" anchor] = 1
    line = substr(line, RSTART + RLENGTH)
  }
  line = $0
  while (match(line, /(href|src|data)="[^"]*"/)) {
    target = substr(line, RSTART, RLENGTH)
    gsub(/^[a-z]+="|"$/, "", target)
    line = substr(line, RSTART + RLENGTH)
    if (target ~ /^(https?:|mailto:|javascript:|data:|#?$)/) continue
    if (target ~ /^#/) target = page target
    if (!((page, target) in seen)) links[++n] = page " " target
    seen[page, target] = 1
  }
}
END {
  for (i = 1; i <= n; ++i) {
    split(links[i], part, " ")
    file = target = part[2]
    sub(/#.*/, "", file)
    if (!(file in exists)) problem = "does not exist"
    else if (target ~ /#/ && file ~ /\.html$/ && !(target in anchors)) problem = "has no such anchor"
    else continue
    print "docs: " part[1] ": " target " " problem
    ++broken
  }
  print "docs: " n " links, " broken + 0 " broken"
  exit broken > 0
}
