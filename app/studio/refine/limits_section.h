// What a plan may cost and what it must leave alone: sliders, foldable under a line that says what is set.
#pragma once

#include "app/studio/document/proposals.h"
#include "app/studio/refine/limit_slider.h"

#include <QWidget>

class QCheckBox;
class QComboBox;
class QGridLayout;
class QLabel;
class QSpinBox;
class QToolButton;
class QVBoxLayout;

namespace fovea::studio {

class LimitsSection : public QWidget {
    Q_OBJECT
public:
    explicit LimitsSection(Proposals& proposals, QWidget* parent = nullptr);

private:
    enum Kind { Macs, Parameters, Training, Inference, kKinds };

    void addSlider(QGridLayout* grid, Kind kind, const char* name, const QString& title, const QString& toolTip);
    void addMemory(QGridLayout* grid);
    void addLatency(QGridLayout* grid);
    void showLatency();
    void addKeeping(QVBoxLayout* layout);
    void chooseLimit(Kind kind, const LimitSlider::Limit& limit);
    void chooseMemory();
    void measure();  // the network as it is now
    void refresh();
    void showStrides();
    void showKept();
    QString summary() const;
    QString words(Kind kind) const;

    Proposals& m_proposals;
    QToolButton* m_fold;
    QWidget* m_body;
    LimitSlider* m_sliders[kKinds];
    QLabel* m_values[kKinds];
    LimitSlider* m_latency;
    QLabel* m_latencyValue;
    QToolButton* m_measure;  // in place of the slider until the network's own latency is known
    QSpinBox* m_batch;
    QComboBox *m_element, *m_stride;
    QCheckBox* m_keepParameters;
    QVBoxLayout* m_kept;
    std::int64_t m_now[kKinds] = {};
    std::int64_t m_outputStride = 1;
};

// "MACs up to 3.63 G (2.0x)": a limit and what it would have to be, for the sentence that offers to loosen it.
QString looseningText(const Loosening& loosening, const Report& now, const MemoryOptions& memory);

}  // namespace fovea::studio
