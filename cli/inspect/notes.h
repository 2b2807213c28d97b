/* What the metadata of a file say of its tensors: docs/model-files.md, "What is written". */
#ifndef CLI_INSPECT_NOTES_H
#define CLI_INSPECT_NOTES_H

#include "inspect/expectation.h"

/* The tensor with the layout that the file notes. Without a note, and with `usual`, matrices and kernels have
 * PyTorch's: outputs, inputs, taps. False where the note is no layout. */
bool notes_tensor(const tensor_file *f, const stored_tensor *t, bool usual, fanin_tensor *out);

/* Takes the notes "parts", "init", or of a calibrated tensor "calibrated" and "factor". */
void notes_take(const tensor_file *f, const stored_tensor *t, expectation *e);

/* Takes the note that values were copied from another file: they are what that file made them, by training for one. The
 * new end of a tensor that has grown has an initializer. Returns false where there is no such note. */
bool notes_take_kept(const tensor_file *f, const stored_tensor *t, expectation *e);

#endif
