#pragma once

#include "core/io/engine/jobs.h"

#include <QString>

namespace fovea::studio {

// " Images that could not be read, and were left out: 5 (a.jpg, b.jpg, c.jpg, ...). The first: It is a WebP picture; ...",
// behind another sentence; empty where there are none.
QString brokenText(const BrokenImages& broken);

}  // namespace fovea::studio
