/* Queues: which one a call works on, and the order of what is enqueued there. */
#ifndef HOST_CORE_QUEUE_H
#define HOST_CORE_QUEUE_H

#include "fanin/device.h"

/* The context and device of a queue; neither is retained. */
fanin_status fanin__queue_facts(cl_command_queue queue, cl_context *context, cl_device_id *device);

/* The queue that was given, or f's own when it is NULL. Checks that it belongs to f's context and device. */
fanin_status fanin__resolve_queue(fanin *f, cl_command_queue queue, cl_command_queue *out);

/* Where and after what a command runs, and the event for it, as the public calls take them. */
typedef struct fanin__when {
  cl_command_queue queue;
  cl_uint n_wait;
  const cl_event *wait_list;
  cl_event *event; /* may be NULL */
} fanin__when;

/* The caller's arguments as such, with the queue resolved and the wait list checked: OpenCL leaves a NULL in it to the
 * driver, and drivers read it. */
fanin_status fanin__when_of(fanin *f, cl_command_queue queue, cl_uint n_wait, const cl_event *wait_list,
                            cl_event *event, fanin__when *out);

/* Enqueues no work, but the order and the event that work would have had. Without an event to make, nothing is
 * enqueued. */
fanin_status fanin__enqueue_marker(const fanin__when *order);

/* Makes what is enqueued next wait for all that was enqueued before, which in-order queues do by themselves. */
fanin_status fanin__order(cl_command_queue queue);

/* Blocks until what the caller wants to wait for is done. */
fanin_status fanin__wait(cl_uint n_wait, const cl_event *wait_list);

#endif
