# A public header as Doxygen wants it: awk -f headers.awk include/fanin/init.h
#
# The headers are commented for people: a block above what it is about (and about what follows it without a gap), a
# comment behind a field, a ruler above a section. Here these become /** blocks, /**< comments and @name groups, X-macros
# become the enumerators that they stand for, and nothing else changes.

function escaped(text) {
  gsub(/\\/, "\\\\", text)
  gsub(/&/, "\\&amp;", text)
  gsub(/</, "\\\\<", text)
  gsub(/>/, "\\\\>", text)
  gsub(/[@#]/, "\\\\&", text)
  gsub(/\*/, "\\\\*", text)
  while (match(text, /docs\/[a-z-]+\.md/)) # to the page
    text = substr(text, 1, RSTART - 1) "@ref docs_" substr(text, RSTART + 5, RLENGTH - 8) substr(text, RSTART + RLENGTH)
  return text
}

# A block's lines, n of them in block[1..]: what is indented and no part of a list is set as it is.
function commented(n,    i, text, out, list, verbatim, line) {
  for (i = 1; i <= n; ++i) {
    line = block[i]
    if (line ~ /^ *- /) list = 1
    else if (line !~ /^  /) list = 0
    if (!list && line ~ /^  +[^ ]/) {
      if (!verbatim) out = out "@code{.unparsed}\n"
      verbatim = 1
      out = out line "\n"
      continue
    }
    if (verbatim) out = out "@endcode\n"
    verbatim = 0
    out = out escaped(line) "\n"
  }
  return out (verbatim ? "@endcode\n" : "")
}

# Reads the block comment that begins in $0 into block[], without its frame; returns how many lines it has.
function read_block(    n, line) {
  n = 0
  line = $0
  sub(/^ *\/\* ?/, "", line)
  for (;;) {
    last = line ~ /\*\/ *$/
    sub(/ *\*\/ *$/, "", line)
    block[++n] = line
    if (last) return n
    if ((getline line) <= 0) return n
    if (line ~ /^ *\*\/ *$/) return n
    sub(/^ *\* ?/, "", line)
  }
}

function end_section() {
  if (section) print "/** @} */"
  section = ""
}

function flush_section() {
  if (section == "" || opened) return
  print "/** @name " section "\n" prose "@{ */"
  opened = 1
}

# "double lo, hi; /**< both */" as a line for each.
function put_field(code, comment,    head, names, n, i) {
  if (code ~ /^ *[a-z_0-9 ]+[ *]+[a-z_0-9]+(\[[A-Za-z_0-9 +]+\])?(, *[a-z_0-9]+(\[[A-Z_0-9 +]+\])?)+; *$/) {
    match(code, /[a-z_0-9]+(\[[A-Za-z_0-9 +]+\])?,/)
    head = substr(code, 1, RSTART - 1)
    names = substr(code, RSTART)
    sub(/; *$/, "", names)
    n = split(names, part, /, */)
    for (i = 1; i <= n; ++i)
      print head part[i] "; /**< " comment " */"
    return
  }
  print code " /**< " comment " */"
}

# ---- X-macros ----

/^#define FANIN_[A-Z_]+_MAP\(XX\)/ {
  map = $2
  sub(/\(XX\)/, "", map)
  n_entries[map] = 0
  map_comment[map] = pending
  pending = ""
  text = ""
  while ($0 ~ /\\$/) {
    getline
    line = $0
    sub(/ *\\$/, "", line)
    sub(/^ */, "", line)
    text = text (text == "" ? "" : " ") line
    if (text ~ /\)$/) { # entries may go over lines
      entries[map, ++n_entries[map]] = text
      text = ""
    }
  }
  next
}

/^#define FANIN_[A-Z]+_ENUM\(/ { # #define FANIN_STATUS_ENUM(name, code, text) FANIN_STATUS_##name = code,
  match($0, /\([^)]*\)/)
  n_parameters = split(substr($0, RSTART + 1, RLENGTH - 2), parameter, /, */)
  template = substr($0, RSTART + RLENGTH + 1)
  next
}
/^#undef FANIN_[A-Z]+_ENUM/ { next }

# The pieces of "XX(OK, 0, "success")" in argument[]; commas within quotes belong to them.
function split_entry(entry,    n, i, c, quoted, text) {
  sub(/^XX\(/, "", entry)
  sub(/\)$/, "", entry)
  gsub(/" +"/, "", entry) # neighbouring strings are one
  n = 1
  argument[1] = ""
  for (i = 1; i <= length(entry); ++i) {
    c = substr(entry, i, 1)
    if (c == "\"") quoted = !quoted
    else if (c == "," && !quoted) argument[++n] = ""
    else if (c != " " || argument[n] != "") argument[n] = argument[n] c
  }
  return n
}

/^ *FANIN_[A-Z_]+_MAP\(FANIN_[A-Z]+_ENUM\)/ {
  map = $1
  sub(/\(.*/, "", map)
  for (e = 1; e <= n_entries[map]; ++e) {
    split_entry(entries[map, e])
    code = template
    comment = ""
    for (p = 1; p <= n_parameters; ++p) {
      if (gsub("##" parameter[p], argument[p], code) + gsub("= " parameter[p], "= " argument[p], code) == 0)
        comment = comment (comment == "" ? "" : "; ") parameter[p] ": " argument[p]
    }
    if (comment !~ /; /) sub(/^[a-z]+: /, "", comment)
    sub(/,$/, ", /**< " escaped(comment) " */", code)
    print "  " code
  }
  next
}

# ---- Comments ----

/^ *\/\* clang-format (on|off) \*\/ *$/ { next }

/^\/\* ---- .* -+ \*\/$/ {
  end_section()
  section = $0
  gsub(/^\/\* -+ | -+ \*\/$/, "", section)
  opened = 0
  prose = ""
  pending = ""
  next
}

/^ *\/\*/ {
  n = read_block()
  if (!file_done) {
    file_done = 1
    print "/** @file\n" commented(n) "*/"
  } else
    pending = commented(n)
  next
}

/^ *$/ {
  if (pending != "") { # about nothing that follows: about the section, or the file
    if (section != "" && !opened) prose = prose pending "\n"
    else if (section == "") print "/** @file\n" pending "*/"
    else print "/** @} */\n/** @name " section ", continued\n" pending "@{ */"
    pending = ""
  }
  shared = ""
  print
  next
}

/^FANIN_C_END/ { end_section() }

# ---- Code ----

/^[a-zA-Z]/ && depth == 0 && $0 !~ /^(FANIN_C_|template|#)/ { # a declaration begins
  flush_section()
  if (!in_declaration) {
    if (pending != "") shared = pending
    else if ($0 ~ /^typedef enum fanin_/) shared = map_comment[toupper($3) "_MAP"] # what is said of the map
    if (shared != "") print "/**\n" shared "*/"
    pending = ""
    in_declaration = 1
  }
}

/^#define / && depth == 0 {
  if (pending != "") {
    flush_section()
    shared = pending
  }
  if (shared != "") print "/**\n" shared "*/"
  pending = ""
}

{
  if (pending != "" && depth > 0) {
    print "/**\n" pending "*/"
    pending = ""
  }
  code = $0
  comment = ""
  if (match(code, /\/\*/) && code !~ /^#/) { # behind a field
    comment = substr(code, RSTART + 2)
    code = substr(code, 1, RSTART - 1)
    while (comment !~ /\*\//) {
      if ((getline line) <= 0) break
      sub(/^ *\*? */, "", line)
      comment = comment " " line
    }
    sub(/ *\*\/ *$/, "", comment)
    sub(/^ */, "", comment)
  }
  opens = gsub(/\{/, "{", code)
  closes = gsub(/\}/, "}", code)
  depth += opens - closes
  if (comment != "") put_field(code, escaped(comment))
  else print code
  if (depth == 0 && code ~ /; *$/) {
    in_declaration = 0
    if (code ~ /^}.*[a-z]/) shared = "" # a type's comment is its own
  }
}
