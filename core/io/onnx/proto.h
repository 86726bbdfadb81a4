// The generated ONNX classes. Included only inside core/io/onnx.
#pragma once

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#include <onnx/onnx_pb.h>
#pragma GCC diagnostic pop
