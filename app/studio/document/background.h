// Work off the window's thread, with its result delivered to an object of that thread.
#pragma once

#include <QFuture>
#include <QObject>
#include <QtConcurrent>

#include <utility>

namespace fovea::studio {

// Runs `work` on the thread pool and then `done` with its result on the thread of `context`, always from its
// event loop: never from within this call, however quick the work is. Where `context` is gone by then, the
// result is dropped. `work` must not throw.
template <typename Work, typename Done>
void inBackground(QObject* context, Work work, Done done)
{
    using Result = std::invoke_result_t<Work>;
    QtConcurrent::run(std::move(work)).then(context, [context, done = std::move(done)](const Result& result) {
        QMetaObject::invokeMethod(context, [done, result] { done(result); }, Qt::QueuedConnection);
    });
}

}  // namespace fovea::studio
