// What a step of the document's network costs on this machine, beside what was opened.
#pragma once

#include "app/studio/training/engine_job.h"

#include <QObject>

#include <deque>
#include <optional>

namespace fovea::studio {

class CostMeasurement : public QObject {
    Q_OBJECT
public:
    enum Which { Now, Original, kWhich };
    enum What { Training, Inference, kWhat };  // a step each

    explicit CostMeasurement(Document& document, QObject* parent = nullptr);

    // The network now and, where its layers differ, as it was opened, both at the side in use, one after the other.
    // Results are gone once the network or the side they are of is.
    void measure(std::int64_t batch, const QString& device);
    void stop();  // at once: nothing that an engine holds is lost

    bool isBusy() const { return m_job != nullptr; }
    const QString& state() const { return m_state; }  // a sentence
    const std::optional<CostReply>& result(Which which, What what) const { return m_results[which][what]; }

signals:
    void changed();

private:
    void next();
    void take(Which which, What what, const Json& result);
    void cancel(const QString& why);
    void end(const QString& state);
    void onDocumentChanged(const Change& change);
    void skipTraining(const QString& why);
    QString summary() const;

    Document& m_document;
    std::optional<CostReply> m_results[kWhich][kWhat];
    std::deque<std::pair<Which, What>> m_wanted;
    std::int64_t m_batch = 0;
    PerAxis<std::int64_t> m_side{};
    QString m_device, m_state, m_whyNoTraining;
    std::shared_ptr<EngineJob> m_job;
};

}  // namespace fovea::studio
