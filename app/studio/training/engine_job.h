// One piece of work for an engine of its own: the network is written out on another thread and loaded, then the
// request is made. A dead engine takes nothing with it but this job.
#pragma once

#include "app/studio/document/document.h"
#include "app/studio/training/engine_process.h"

#include <optional>

class QTemporaryDir;

namespace fovea::studio {

struct EngineNetwork {
    Network network;
    bool newWeights = false;     // else the network's, where it has some
    PerAxis<std::int64_t> side;  // of the image; 0: the network's own
    std::uint64_t seed = 0;      // of tensors without values; 0 as in files that are written
};

class EngineJob : public QObject {
    Q_OBJECT
public:
    // Without a network nothing is loaded. `device`: one of hello's, or "auto".
    EngineJob(std::optional<EngineNetwork> network, QString device, QObject* parent = nullptr);

    template <typename Request>
    void start(const Request& request)
    {
        start(Request::kMethod, toJson(request));
    }
    // Ends within a batch with finished(); before the work has begun, at once.
    void stop();
    void kill();
    const QString& device() const { return m_device; }  // "auto" until the engine has said what there is

    // A folder that lives as long as the job.
    QString folder() const;

signals:
    // Exactly one of these comes, unless killed.
    void finished(const fovea::Json& result);
    void refused(const QString& why);
    void died(const QString& how);
    void stoppedEarly();  // before the work began

    void began();  // everything is loaded
    void progressed(const fovea::Progress& progress);
    void measured(const fovea::MetricsLine& line);
    void logged(const QString& text);

private:
    struct Prepared;
    void start(const char* method, Json params);
    void prepare();
    void onReady(const HelloReply& hello);
    void load();
    void work();
    bool take(const RpcReply& reply);
    void end();

    std::optional<EngineNetwork> m_network;
    QString m_device;
    std::string m_method;
    Json m_params;
    std::shared_ptr<QTemporaryDir> m_folder;  // also held by the thread that writes into it
    EngineProcess m_engine;
    std::shared_ptr<Prepared> m_prepared;
    std::int64_t m_loadId = 0;
    bool m_ready = false, m_working = false, m_stopping = false, m_over = false;
};

// `asked` where it is there; else, and for "auto", the first GPU, else the processor.
QString chosenDevice(const QString& asked, const HelloReply& hello);

}  // namespace fovea::studio
