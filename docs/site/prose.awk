# A Markdown page as Doxygen wants it: awk -v page=docs/probe.md -f prose.awk docs/probe.md
#
# Pages are written for a git host. Here headings get the anchors that a git host gives them, links between pages become
# references, links to other files lead to the copies beside the site, and functions are linked where they are named.

function page_id(path) {
  sub(/\.md$/, "", path)
  gsub(/[^A-Za-z0-9]/, "_", path)
  return path
}

# A git host's anchor for a heading, in letters that Doxygen takes.
function slug(text) {
  text = tolower(text)
  gsub(/[`*.,:;!?"'()\/|<>=+@#&^~\[\]{}\\%$]/, "", text)
  gsub(/ /, "-", text)
  gsub(/[^a-z0-9_-]/, "_", text)
  return text
}

# "docs/../bench/limit.c" is "bench/limit.c".
function resolved(target,    path) {
  path = page
  if (!sub(/[^\/]*$/, "", path)) path = ""
  path = path target
  while (sub(/[^\/]+\/\.\.\//, "", path));
  return path
}

function link_target(target,    anchor, path) {
  if (target ~ /^(https?|mailto):/) return target
  if (match(target, /#/)) {
    anchor = substr(target, RSTART + 1)
    target = substr(target, 1, RSTART - 1)
  }
  path = target == "" ? page : resolved(target)
  if (path ~ /\.md$/) return "@ref " page_id(path) (anchor == "" ? "" : "_" slug(anchor))
  if (path ~ /^include\/.*\.(h|hpp)$/) {
    sub(/^include\//, "", path)
    return "@ref " path
  }
  if (path ~ /\.(svg|png)$/) return target
  print path > "/dev/stderr" # for the builder to copy
  return "files/" path ".txt"
}

function with_links(line,    out, begin, size) {
  out = ""
  while (match(line, /\]\([^) ]+\)/)) {
    begin = RSTART
    size = RLENGTH
    out = out substr(line, 1, begin) "(" link_target(substr(line, begin + 2, size - 3)) ")"
    line = substr(line, begin + size)
  }
  return out line
}

# Names of the API are links; other code is left alone, except that Doxygen would end it at a quote.
function with_code(line,    out, code) {
  out = ""
  while (match(line, /`[^`]+`/)) {
    code = substr(line, RSTART + 1, RLENGTH - 2)
    out = out substr(line, 1, RSTART - 1)
    if (code ~ /^fanin_[a-z0-9_]+\(\)$/ || code ~ /^FANIN_[A-Z0-9_]+$/) out = out "<code>" code "</code>"
    else if (code ~ /'/) out = out "``" code "``"
    else out = out "`" code "`"
    line = substr(line, RSTART + RLENGTH)
  }
  return out line
}

{ lines[++n] = $0 }

END {
  for (i = 1; i <= n; ++i) {
    if (lines[i] ~ /^```/) fenced = !fenced
    if (!fenced && lines[i] ~ /^## /) ++sections
  }
  fenced = 0
  for (i = 1; i <= n; ++i) {
    line = lines[i]
    if (line ~ /^```/) {
      fenced = !fenced
      print line
    } else if (fenced || line ~ /^    /) {
      print line
    } else if (line ~ /^#+ /) {
      level = line
      sub(/ .*/, "", level)
      text = substr(line, length(level) + 2)
      if (page == "README.md" && level != "#") { # sections would come before all else in the navigation
        print "<h" length(level) - 1 ">" with_code(with_links(text)) "</h" length(level) - 1 ">"
        continue
      }
      print level " " with_code(with_links(text)) " {#" page_id(page) (level == "#" ? "" : "_" slug(text)) "}"
      if (level == "#" && sections > 2 && page != "README.md") print "\n[TOC]"
    } else
      print with_code(with_links(line))
  }
}
