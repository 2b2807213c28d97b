/* Queues: fanin's own, made when it is first asked for, and the check of a caller's. */
#include "core/queue.h"

#include "core/argument.h"
#include "core/context.h"

/* f's queue, made by the first thread that wants it. */
fanin_status fanin_queue(fanin *f, cl_command_queue *out) {
  cl_int code = CL_SUCCESS;
  FANIN__NEED(f, out);
  fanin__mutex_lock(&f->lock);
  if (!f->queue) f->queue = clCreateCommandQueue(f->context, f->device, 0, &code);
  const cl_command_queue queue = f->queue;
  fanin__mutex_unlock(&f->lock);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clCreateCommandQueue");
  *out = queue;
  return FANIN_STATUS_OK;
}

fanin_status fanin__queue_facts(cl_command_queue queue, cl_context *context, cl_device_id *device) {
  cl_int code = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof *context, context, NULL);
  if (code == CL_SUCCESS) code = clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof *device, device, NULL);
  return fanin__check_cl(code, "clGetCommandQueueInfo of queue");
}

fanin_status fanin__resolve_queue(fanin *f, cl_command_queue queue, cl_command_queue *out) {
  if (!queue) return fanin_queue(f, out);
  cl_context context = NULL;
  cl_device_id device = NULL;
  FANIN__TRY(fanin__queue_facts(queue, &context, &device));

  if (context != f->context) return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "queue belongs to another context than f");
  if (device != f->device) return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "queue belongs to another device than f");
  *out = queue;
  return FANIN_STATUS_OK;
}

static fanin_status check_wait_list(const fanin *f, cl_uint n_wait, const cl_event *wait_list) {
  FANIN__NEED_ARRAY(wait_list, n_wait);
  for (cl_uint k = 0; k < n_wait; k++) {
    if (!wait_list[k]) {
      return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "wait_list[%u] is NULL; accepted are events (n_wait = %u)",
                         (unsigned)k, (unsigned)n_wait);
    }
    cl_context context = NULL;
    const cl_int code = clGetEventInfo(wait_list[k], CL_EVENT_CONTEXT, sizeof context, &context, NULL);
    if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetEventInfo of wait_list");
    if (context != f->context) {
      return fanin__fail(FANIN_STATUS_BAD_ARGUMENT, "wait_list[%u] belongs to another context than f", (unsigned)k);
    }
  }
  return FANIN_STATUS_OK;
}

fanin_status fanin__when_of(fanin *f, cl_command_queue queue, cl_uint n_wait, const cl_event *wait_list,
                            cl_event *event, fanin__when *out) {
  fanin__when when = {.n_wait = n_wait, .wait_list = n_wait > 0 ? wait_list : NULL, .event = event};
  FANIN__TRY(fanin__resolve_queue(f, queue, &when.queue));
  FANIN__TRY(check_wait_list(f, n_wait, wait_list));
  *out = when;
  return FANIN_STATUS_OK;
}

fanin_status fanin__enqueue_marker(const fanin__when *order) {
  if (!order->event) return FANIN_STATUS_OK;
  const cl_int code = clEnqueueMarkerWithWaitList(order->queue, order->n_wait, order->wait_list, order->event);
  return fanin__check_cl(code, "clEnqueueMarkerWithWaitList");
}

fanin_status fanin__order(cl_command_queue queue) {
  cl_command_queue_properties properties = 0;
  cl_int code = clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
  if (code != CL_SUCCESS) return fanin__fail_cl(code, "clGetCommandQueueInfo of queue");
  if (!(properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)) return FANIN_STATUS_OK;
  code = clEnqueueBarrierWithWaitList(queue, 0, NULL, NULL);
  return fanin__check_cl(code, "clEnqueueBarrierWithWaitList");
}

fanin_status fanin__wait(cl_uint n_wait, const cl_event *wait_list) {
  return fanin__check_cl(n_wait > 0 ? clWaitForEvents(n_wait, wait_list) : CL_SUCCESS, "clWaitForEvents of wait_list");
}
