// What the engine can compute on, asked once and in the background.
#pragma once

#include "app/studio/training/engine_process.h"

#include <QObject>

#include <memory>
#include <optional>

class QComboBox;

namespace fovea::studio {

class Devices : public QObject {
    Q_OBJECT
public:
    explicit Devices(QObject* parent = nullptr);

    void ask();  // does nothing where it is known already
    bool hasEngine() const { return m_problem.isEmpty(); }
    const QString& problem() const { return m_problem; }  // one sentence; empty: there is an engine
    const std::optional<HelloReply>& hello() const { return m_hello; }
    void fill(QComboBox& combo) const;  // keeps what is chosen

signals:
    void changed();

private:
    std::unique_ptr<EngineProcess> m_engine;
    std::optional<HelloReply> m_hello;
    QString m_problem;
};

}  // namespace fovea::studio
