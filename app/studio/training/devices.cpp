#include "app/studio/training/devices.h"

#include "app/studio/look/words.h"
#include "app/studio/training/engine_job.h"

#include <QComboBox>
#include <QSignalBlocker>

namespace fovea::studio {

Devices::Devices(QObject* parent) : QObject(parent) {}

void Devices::ask()
{
    if (m_engine || m_hello) return;
    m_problem.clear();
    if (EngineProcess::program().isEmpty()) {
        m_problem = tr("Training needs the program fovea-engine, which is neither beside the studio nor on PATH. It is "
                       "built where LibTorch is installed (on Debian: libtorch-dev).");
        emit changed();
        return;
    }
    m_engine = std::make_unique<EngineProcess>();
    const auto done = [this] {
        m_engine.release()->deleteLater();
        emit changed();
    };
    connect(m_engine.get(), &EngineProcess::ready, this, [this, done](const HelloReply& hello) {
        m_hello = hello;
        m_engine->disconnect(this);
        m_engine->kill();
        done();
    });
    connect(m_engine.get(), &EngineProcess::died, this, [this, done](const QString& how) {
        m_problem = how;
        done();
    });
    m_engine->start();
}

void Devices::fill(QComboBox& combo) const
{
    const QSignalBlocker quiet(&combo);
    const QString chosen = combo.currentData().toString();
    combo.clear();
    const QString best = m_hello ? chosenDevice(QStringLiteral("auto"), *m_hello) : QString();
    combo.addItem(best.isEmpty() ? tr("automatic") : tr("automatic (%1)").arg(best), QStringLiteral("auto"));
    if (m_hello)
        for (const HelloReply::Device& device : m_hello->devices) {
            const QString name = QString::fromStdString(device.name);
            combo.addItem(device.memory > 0 ? QStringLiteral("%1, %2").arg(name, bytesText(device.memory)) : name,
                          name);
        }
    combo.setCurrentIndex(std::max(0, combo.findData(chosen)));
    combo.setToolTip(m_hello && !m_hello->whyNoGpu.empty() ? tr("No GPU: %1").arg(text(m_hello->whyNoGpu))
                                                           : tr("What to compute on"));
}

}  // namespace fovea::studio
