// fovea-engine as a child process of the studio: started, asked and listened to without ever waiting for it.
#pragma once

#include "core/io/engine/jobs.h"
#include "core/io/engine/messages.h"
#include "core/io/engine/rpc.h"
#include "core/recipe/metrics.h"

#include <QObject>
#include <QProcess>

#include <functional>
#include <map>

namespace fovea::studio {

class EngineProcess : public QObject {
    Q_OBJECT
public:
    using Done = std::function<void(const RpcReply&)>;

    explicit EngineProcess(QObject* parent = nullptr);
    ~EngineProcess() override;

    // FOVEA_ENGINE, else beside this program, else on PATH; empty: nowhere.
    static QString program();

    // Ends with ready() or died().
    void start();
    void ask(const char* method, const Json& params, Done done);
    // The same with a request that another thread has put into a line already.
    void askLine(std::int64_t id, const QByteArray& line, Done done);
    std::int64_t takeId() { return m_nextId++; }
    void stopJob();
    void kill();

signals:
    void ready(const fovea::HelloReply& hello);
    void progressed(const fovea::Progress& progress);
    void measured(const fovea::MetricsLine& line);
    void logged(const QString& text);
    void died(const QString& how);  // a sentence; nothing comes after it

private:
    void read();
    void take(const QByteArray& line);
    void takeNotification(const RpcRequest& message);
    void end(const QString& how);
    QString howItEnded(int code, QProcess::ExitStatus status) const;

    QProcess* m_process;
    QByteArray m_pending, m_errors;
    std::map<std::int64_t, Done> m_waiting;
    std::int64_t m_nextId = 1;
    bool m_over = false;
};

}  // namespace fovea::studio
