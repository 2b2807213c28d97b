/* Tables of text in aligned columns that fit the terminal. */
#include "base/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/failure.h"
#include "base/terminal.h"
#include "base/text.h"

enum { MAX_COLUMNS = 32 };

/* The columns that are shown, and how wide they are. */
typedef struct widths {
  size_t width[MAX_COLUMNS];
  bool shown[MAX_COLUMNS];
  size_t gap; /* spaces between columns */
} widths;

table table_of(const column *columns, size_t n_columns) {
  table t = {.columns = columns, .n_columns = n_columns < MAX_COLUMNS ? n_columns : MAX_COLUMNS};
  for (size_t c = 0; c < t.n_columns; ++c)
    table_cell(&t, "%s", columns[c].title);
  return t;
}

void table_cell(table *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = text_format(format, arguments);
  va_end(arguments);
  t->cells = grow(t->cells, &t->capacity, t->n_cells + 1, sizeof *t->cells);
  t->cells[t->n_cells++] = text;
}

static size_t total_width(const table *t, const widths *w) {
  size_t total = 0;
  for (size_t c = 0; c < t->n_columns; ++c) {
    if (w->shown[c]) total += w->width[c] + (total > 0 ? w->gap : 0);
  }
  return total;
}

/* Hides the columns that say nothing: all cells below their titles are "-". */
static void drop_empty(const table *t, widths *w) {
  for (size_t c = 0; c < t->n_columns; ++c) {
    bool empty = t->n_cells > t->n_columns;
    for (size_t i = c + t->n_columns; i < t->n_cells && empty; i += t->n_columns)
      empty = strcmp(t->cells[i], "-") == 0;
    if (empty) w->shown[c] = false;
  }
}

/* Hides the columns that are dropped first. Returns false if no column may be dropped. */
static bool drop_columns(const table *t, widths *w) {
  int first = 0;
  for (size_t c = 0; c < t->n_columns; ++c) {
    if (w->shown[c] && t->columns[c].drop > first) first = t->columns[c].drop;
  }
  for (size_t c = 0; c < t->n_columns && first > 0; ++c)
    w->shown[c] = w->shown[c] && t->columns[c].drop != first;
  return first > 0;
}

/* The columns from `from` on that share a heading. Returns the index behind the last one. *width becomes what they
 * take, and *last the last one that is shown, or n_columns if none is. */
static size_t group_end(const table *t, const widths *w, size_t from, size_t *width, size_t *last) {
  size_t c = from;
  *width = 0;
  *last = t->n_columns;
  for (; c < t->n_columns && strcmp(t->groups[c], t->groups[from]) == 0; ++c) {
    if (!w->shown[c]) continue;
    *width += w->width[c] + (*width > 0 ? w->gap : 0);
    *last = c;
  }
  return c;
}

/* Widens the last column under a heading that is wider than its columns. */
static void widen_groups(const table *t, widths *w) {
  size_t width, last;
  for (size_t c = 0; t->groups && c < t->n_columns;) {
    const size_t end = group_end(t, w, c, &width, &last), wanted = text_width(t->groups[c]);
    if (last < t->n_columns && width < wanted) w->width[last] += wanted - width;
    c = end;
  }
}

/* Bytes of the words that fit into `width` columns of a terminal; one word at least. */
static size_t words_that_fit(const char *text, size_t width) {
  size_t end = strcspn(text, " ");
  while (text[end]) {
    const size_t next = end + 1 + strcspn(text + end + 1, " ");
    if (text_columns(text, next) > width) break;
    end = next;
  }
  return end;
}

/* Takes `excess` from the last column, whose words then go on in further lines. Returns false where its longest word,
 * or a fair part of it, would not fit. */
static bool wrap_last(const table *t, widths *w, size_t excess) {
  enum { FAIR = 20 };
  const size_t c = t->n_columns - 1;
  size_t least = w->width[c] < FAIR ? w->width[c] : FAIR;
  for (size_t i = c; i < t->n_cells; i += t->n_columns) {
    for (const char *word = t->cells[i]; *word;) {
      const size_t length = strcspn(word, " "), columns = text_columns(word, length);
      if (columns > least) least = columns;
      word += length + strspn(word + length, " ");
    }
  }
  if (!w->shown[c] || w->width[c] < least + excess) return false;
  w->width[c] -= excess;
  return true;
}

static widths fit_widths(const table *t, size_t available) {
  widths w = {.gap = 1};
  for (size_t c = 0; c < t->n_columns; ++c) {
    w.shown[c] = true;
    for (size_t i = c; i < t->n_cells; i += t->n_columns) {
      const size_t width = text_width(t->cells[i]);
      if (width > w.width[c]) w.width[c] = width;
    }
  }
  widen_groups(t, &w);
  w.gap = 2;
  if (available == 0 || total_width(t, &w) <= available) return w;
  w.gap = 1;
  if (total_width(t, &w) > available) drop_empty(t, &w);
  while (total_width(t, &w) > available) {
    if (wrap_last(t, &w, total_width(t, &w) - available) || !drop_columns(t, &w)) break;
  }
  w.gap = 2;
  if (total_width(t, &w) > available) w.gap = 1;
  return w;
}

static void print_line(const table *t, const widths *w, char *const *cells) {
  size_t spaces = 0;       /* spaces that are not printed yet, because no line ends with one */
  const char *rest = NULL; /* of the last column's words */
  bool first = true;
  for (size_t c = 0; c < t->n_columns; ++c) {
    if (!w->shown[c]) continue;
    const bool last = c + 1 == t->n_columns;
    const size_t length = last ? words_that_fit(cells[c], w->width[c]) : strlen(cells[c]);
    const size_t columns = text_columns(cells[c], length);
    const size_t padding = columns < w->width[c] ? w->width[c] - columns : 0;
    spaces += (first ? 0 : w->gap) + (t->columns[c].left ? 0 : padding);
    printf("%*s%.*s", (int)spaces, "", (int)length, cells[c]);
    if (last) rest = cells[c] + length;
    spaces = t->columns[c].left ? padding : 0;
    first = false;
  }
  while (rest && *rest) {
    const size_t length = words_that_fit(++rest, w->width[t->n_columns - 1]);
    printf("\n%*s%.*s", (int)(total_width(t, w) - w->width[t->n_columns - 1]), "", (int)length, rest);
    rest += length;
  }
  putchar('\n');
}

static void print_groups(const table *t, const widths *w) {
  size_t width, last, spaces = 0; /* not printed yet, as in print_line() */
  bool first = true;
  for (size_t c = 0; c < t->n_columns;) {
    const size_t end = group_end(t, w, c, &width, &last);
    if (last < t->n_columns) {
      const size_t length = text_width(t->groups[c]), more = width > length ? width - length : 0, before = more / 2;
      spaces += before + (first ? 0 : w->gap);
      if (length > 0) printf("%*s%s", (int)spaces, "", t->groups[c]);
      spaces = (length > 0 ? 0 : spaces) + more - before;
      first = false;
    }
    c = end;
  }
  putchar('\n');
}

/* Names the columns that are not shown, each after its heading. */
static void print_dropped(const table *t, const widths *w) {
  const char *group = NULL;
  char *text = NULL;
  size_t length = 0;
  bool any = false;
  FILE *line = open_memstream(&text, &length);
  if (!line) return;
  for (size_t c = 0; c < t->n_columns; ++c) {
    if (w->shown[c]) continue;
    const char *own = t->groups ? t->groups[c] : "";
    fputs(any ? ", " : "", line);
    if (own[0] && (!group || strcmp(group, own) != 0)) fprintf(line, "%s ", own);
    fputs(t->columns[c].title, line);
    group = own;
    any = true;
  }
  if (fclose(line) == 0 && any) terminal_line(stdout, 1, "(too narrow to show: %s)", text);
  free(text);
}

void table_print(table *t) {
  const widths w = fit_widths(t, terminal_width(stdout));
  if (t->groups) print_groups(t, &w);
  for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
    print_line(t, &w, t->cells + i);
  print_dropped(t, &w);
  for (size_t i = 0; i < t->n_cells; ++i)
    free(t->cells[i]);
  free(t->cells);
  *t = (table){0};
}
