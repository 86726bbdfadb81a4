// How good the document's network is on images, beside what was opened; and norms whose statistics are taken anew.
#pragma once

#include "app/studio/training/engine_job.h"

#include <QObject>

#include <deque>
#include <optional>

namespace fovea::studio {

class Evaluation : public QObject {
    Q_OBJECT
public:
    enum Which { Now, Original, kWhich };

    explicit Evaluation(Document& document, QObject* parent = nullptr);

    // Both where they differ, one after the other. Results are gone once the network they are of is.
    void evaluate(const DataUse& data, const QString& device);
    // The norms' new statistics become the document's, in one undo step.
    void recalibrate(const DataUse& data, const QString& device);
    // A linear classifier on the output of each layer.
    void probe(const DataUse& data, const QString& device);
    void stop();

    bool isBusy() const { return m_job || m_reading; }
    const QString& state() const { return m_state; }  // a sentence
    const std::optional<EvaluateReply>& result(Which which) const { return m_results[which]; }
    const std::vector<ProbeRow>& probes() const { return m_probes; }  // of the document's network as it is

signals:
    void changed();
    void probesChanged();

private:
    EngineJob& launch(const Network& network, const QString& device);
    void next();
    void take(Which which, const Json& result);
    void useNorms(const RecalibrateReply& reply, const std::shared_ptr<EngineJob>& job, const Network& before,
                  const QString& file);
    void end(const QString& state);
    void onDocumentChanged(const Change& change);

    Document& m_document;
    std::optional<EvaluateReply> m_results[kWhich];
    std::deque<Which> m_wanted;
    std::vector<ProbeRow> m_probes;
    DataUse m_data;
    PerAxis<std::int64_t> m_side{};  // of the images of both results
    QString m_device, m_state;
    std::shared_ptr<EngineJob> m_job;
    bool m_reading = false;
};

}  // namespace fovea::studio
