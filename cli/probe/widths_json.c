/* The numbers of 'fanin probe --widths' for programs. */
#include "base/json.h"
#include "probe/widths.h"

static json_t *moment(const probe_scaling *c, const moment_scaling *m) {
  json_t *o = json_object();
  JSON_SET_NUMBERS(o, {"exponent", m->fit.measured}, {"error", m->fit.error}, {"theory", m->fit.theory},
                   {"bend", m->fit.bend}, {"z", m->fit.z}, {"margin", slope_margin(&m->fit, c->bound)});
  json_object_set_new(o, "scaling", json_string(scaling_name(m->is)));
  return o;
}

int widths_print_json(const probe_request *r, const session *s, const probe_scaling *c, failure *why) {
  json_t *root = json_object(), *layers = json_array(), *networks = json_array();
  int status = STATUS_OK;
  json_object_set_new(root, "mlp", json_string(r->network));
  json_object_set_new(root, "w", json_from_shape(r->sizes, (int)r->n_sizes));
  json_object_set_new(root, "conforms", json_boolean(c->conforms));
  json_object_set_new(root, "judged", json_boolean(c->judged));
  json_object_set_new(root, "stable", c->stable || c->unstable ? json_boolean(c->stable) : json_null());
  json_object_set_new(root, "mup", json_boolean(c->mup));
  json_object_set_new(root, "n_tests", json_integer((json_int_t)c->n_tests));
  json_object_set_new(root, "z_bound", json_from_double(c->bound));
  for (size_t l = 0; l < c->layers; ++l) {
    json_t *o = json_object();
    json_object_set_new(o, "layer", json_integer((json_int_t)l + 1));
    json_object_set_new(o, "q", moment(c, &c->q[l]));
    json_object_set_new(o, "g", moment(c, &c->g[l]));
    json_array_append_new(layers, o);
  }
  json_object_set_new(root, "layers", layers);
  json_object_set_new(root, "networks", networks);
  for (size_t k = 0; k < r->n_sizes && status == STATUS_OK; ++k) {
    probe_request at;
    status = probe_request_at(r, k, &at, why);
    if (status == STATUS_OK) json_array_append_new(networks, probe_to_json(&at, s, 0, c->results[k]));
  }
  if (status == STATUS_OK) return json_print(root, why);
  json_decref(root);
  return status;
}
