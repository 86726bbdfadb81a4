#include "app/studio/training/engine_process.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QStandardPaths>

#include <csignal>

namespace fovea::studio {

namespace {

const QString kProgram = QStringLiteral("fovea-engine");
constexpr qsizetype kKeptErrors = 4'000;
constexpr int kGoneMs = 2'000;

// Waits for the end of what was killed, where the studio itself ends first.
class Child : public QProcess {
public:
    using QProcess::QProcess;
    ~Child() override
    {
        if (state() == NotRunning) return;
        kill();
        waitForFinished(kGoneMs);
    }
};

}  // namespace

EngineProcess::EngineProcess(QObject* parent) : QObject(parent), m_process(new Child(this))
{
    connect(m_process, &QProcess::readyReadStandardOutput, this, &EngineProcess::read);
    connect(m_process, &QProcess::readyReadStandardError, this,
            [this] { m_errors = (m_errors + m_process->readAllStandardError()).right(kKeptErrors); });
    connect(m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            end(tr("The engine could not be started: %1.").arg(m_process->errorString()));
    });
    connect(m_process, &QProcess::finished, this, [this](int code, QProcess::ExitStatus status) {
        read();
        end(howItEnded(code, status));
    });
}

EngineProcess::~EngineProcess()
{
    m_process->disconnect(this);
    if (m_process->state() == QProcess::NotRunning) return;
    // Large memory takes its time to be given back, and nobody has to wait for it.
    m_process->setParent(QCoreApplication::instance());
    connect(m_process, &QProcess::finished, m_process, &QObject::deleteLater);
    m_process->kill();
}

QString EngineProcess::program()
{
    const QString told = qEnvironmentVariable("FOVEA_ENGINE");
    if (!told.isEmpty()) return QFileInfo(told).isExecutable() ? told : QString();
    const QString beside = QStandardPaths::findExecutable(kProgram, {QCoreApplication::applicationDirPath()});
    return beside.isEmpty() ? QStandardPaths::findExecutable(kProgram) : beside;
}

void EngineProcess::start()
{
    m_process->start(program(), QStringList());
    ask(HelloRequest::kMethod, toJson(HelloRequest{}), [this](const RpcReply& reply) {
        if (!reply.error.empty()) {
            end(QString::fromStdString(reply.error));
            return;
        }
        emit ready(messageFrom<HelloReply>(reply.result));
    });
}

void EngineProcess::ask(const char* method, const Json& params, Done done)
{
    const std::int64_t id = takeId();
    askLine(id, QByteArray::fromStdString(requestLine(id, method, params)), std::move(done));
}

void EngineProcess::askLine(std::int64_t id, const QByteArray& line, Done done)
{
    if (m_over) return;
    m_waiting[id] = std::move(done);
    m_process->write(line + '\n');
}

void EngineProcess::stopJob()
{
    if (m_over) return;
    m_process->write(QByteArray::fromStdString(requestLine(nullptr, kStopMethod, Json::object())) + '\n');
}

void EngineProcess::kill()
{
    m_over = true;
    m_process->kill();
}

void EngineProcess::read()
{
    m_pending += m_process->readAllStandardOutput();
    if (static_cast<std::size_t>(m_pending.size()) > kMaxMessage) {
        kill();
        return;
    }
    for (qsizetype end; !m_over && (end = m_pending.indexOf('\n')) >= 0;) {
        const QByteArray line = m_pending.left(end);
        m_pending.remove(0, end + 1);
        take(line);
    }
}

void EngineProcess::take(const QByteArray& line)
{
    try {
        const std::string_view text(line.constData(), static_cast<std::size_t>(line.size()));
        if (parseJson(text).contains("method")) {
            takeNotification(requestFrom(text));
            return;
        }
        const RpcReply reply = replyFrom(text);
        const auto waiting =
            reply.id.is_number_integer() ? m_waiting.find(reply.id.get<std::int64_t>()) : m_waiting.end();
        if (waiting == m_waiting.end()) return;
        const Done done = std::move(waiting->second);
        m_waiting.erase(waiting);
        done(reply);
    } catch (const Error& error) {
        end(tr("The engine's answer could not be read: %1").arg(QString::fromUtf8(error.what())));
    }
}

void EngineProcess::takeNotification(const RpcRequest& message)
{
    if (message.method == kProgressMethod) emit progressed(messageFrom<Progress>(message.params));
    else if (message.method == kMetricsMethod) emit measured(messageFrom<MetricsLine>(message.params));
    else if (message.method == kLogMethod) emit logged(QString::fromStdString(messageFrom<Log>(message.params).text));
}

void EngineProcess::end(const QString& how)
{
    if (std::exchange(m_over, true)) return;
    m_waiting.clear();
    m_process->kill();
    emit died(how);
}

QString EngineProcess::howItEnded(int code, QProcess::ExitStatus status) const
{
    if (status == QProcess::CrashExit)
        return code == SIGKILL
                   ? tr("The engine was killed (signal %1); perhaps the memory ran out. A smaller batch needs less.")
                         .arg(code)
                   : tr("The engine was ended by signal %1.").arg(code);
    const QString last = QString::fromLocal8Bit(m_errors).trimmed().section(QLatin1Char('\n'), -1);
    return last.isEmpty() ? tr("The engine ended with code %1.").arg(code)
                          : tr("The engine ended with code %1: %2").arg(code).arg(last);
}

}  // namespace fovea::studio
