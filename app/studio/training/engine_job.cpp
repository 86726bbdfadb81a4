#include "app/studio/training/engine_job.h"

#include "app/studio/document/background.h"
#include "core/io/safetensors/safetensors.h"

#include <QFile>
#include <QTemporaryDir>

namespace fovea::studio {

// The request "load" but for its device, which the engine has yet to name.
struct EngineJob::Prepared {
    Json load;
    QString error;
};

namespace {

LoadRequest writeNetwork(const EngineNetwork& from, const QString& folder)
{
    LoadRequest out;
    out.graph = *from.network.graph;
    out.seed = from.seed;
    if (from.side.h > 0) out.size = {from.side.h, from.side.w};
    if (from.newWeights || !from.network.weights || from.network.weights->empty()) return out;
    const std::string file = QFile::encodeName(folder + QStringLiteral("/weights.safetensors")).toStdString();
    writeSafetensors(*from.network.weights, file);  // the engine fits them to the layers
    out.weights = {file};
    return out;
}

}  // namespace

EngineJob::EngineJob(std::optional<EngineNetwork> network, QString device, QObject* parent)
    : QObject(parent), m_network(std::move(network)), m_device(std::move(device)),
      m_folder(std::make_shared<QTemporaryDir>())
{
    connect(&m_engine, &EngineProcess::ready, this, &EngineJob::onReady);
    connect(&m_engine, &EngineProcess::progressed, this, &EngineJob::progressed);
    connect(&m_engine, &EngineProcess::measured, this, &EngineJob::measured);
    connect(&m_engine, &EngineProcess::logged, this, &EngineJob::logged);
    connect(&m_engine, &EngineProcess::died, this, [this](const QString& how) {
        if (!std::exchange(m_over, true)) emit died(how);
    });
}

QString EngineJob::folder() const { return m_folder->path(); }

void EngineJob::start(const char* method, Json params)
{
    m_method = method;
    m_params = std::move(params);
    m_engine.start();
    if (m_network) prepare();
}

void EngineJob::prepare()
{
    m_loadId = m_engine.takeId();
    const auto write = [network = *m_network, folder = m_folder] {
        auto out = std::make_shared<Prepared>();
        try {
            out->load = toJson(writeNetwork(network, folder->path()));
        } catch (const std::exception& error) {
            out->error = QString::fromUtf8(error.what());
        }
        return out;
    };
    inBackground(this, write, [this](const std::shared_ptr<Prepared>& prepared) {
        m_prepared = prepared;
        load();
    });
}

void EngineJob::onReady(const HelloReply& hello)
{
    m_ready = true;
    m_device = chosenDevice(m_device, hello);
    if (m_network) load();
    else work();
}

// Once both the engine and the network are ready.
void EngineJob::load()
{
    if (m_over || !m_ready || !m_prepared) return;
    if (!m_prepared->error.isEmpty()) {
        end();
        emit refused(m_prepared->error);
        return;
    }
    // The line of a large network takes a while to put together.
    const auto print = [prepared = m_prepared, id = m_loadId, device = m_device.toStdString()] {
        prepared->load["device"] = device;
        return QByteArray::fromStdString(requestLine(id, LoadRequest::kMethod, prepared->load));
    };
    inBackground(this, print, [this](const QByteArray& line) {
        if (m_over) return;
        m_engine.askLine(m_loadId, line, [this](const RpcReply& reply) {
            if (take(reply)) work();
        });
    });
}

void EngineJob::work()
{
    if (m_over) return;
    m_working = true;
    if (m_method == TrainRequest::kMethod) m_params["device"] = m_device.toStdString();
    emit began();
    m_engine.ask(m_method.c_str(), m_params, [this](const RpcReply& reply) {
        if (!take(reply)) return;
        end();
        emit finished(reply.result);
    });
    if (m_stopping) m_engine.stopJob();
}

bool EngineJob::take(const RpcReply& reply)
{
    if (m_over) return false;
    if (reply.error.empty()) return true;
    end();
    emit refused(QString::fromStdString(reply.error));
    return false;
}

void EngineJob::end()
{
    m_over = true;
    m_engine.kill();
}

void EngineJob::stop()
{
    if (m_over || std::exchange(m_stopping, true)) return;
    if (m_working) {
        m_engine.stopJob();
        return;
    }
    end();
    emit stoppedEarly();
}

void EngineJob::kill()
{
    if (!m_over) end();
}

QString chosenDevice(const QString& asked, const HelloReply& hello)
{
    for (const HelloReply::Device& device : hello.devices)
        if (asked.toStdString() == device.name) return asked;
    for (const HelloReply::Device& device : hello.devices)
        if (device.name != "cpu") return QString::fromStdString(device.name);
    return QStringLiteral("cpu");
}

}  // namespace fovea::studio
