// Picks a resolution: the network at several sides, at a batch size and element type.
#pragma once

#include "app/studio/charts/at_sizes.h"
#include "app/studio/document/stage.h"

#include <QTimer>
#include <QWidget>

class QComboBox;
class QHBoxLayout;
class QLineEdit;
class QSpinBox;

namespace fovea::studio {

class SizesChart;

class SizesPanel : public QWidget {
    Q_OBJECT
public:
    explicit SizesPanel(Stage& stage, QWidget* parent = nullptr);
    ~SizesPanel() override;

signals:
    void failed(const QString& what, const QString& why);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void buildControls(QHBoxLayout* row);
    void loadSettings();
    void saveSettings() const;
    void later();    // recomputes soon, once the panel is seen
    void compute();
    MemoryOptions memory() const;

    Stage& m_stage;
    SizesChart* m_chart;
    QComboBox *m_cost, *m_element;
    QSpinBox* m_batch;
    QLineEdit* m_sizes;
    QTimer m_soon;
    std::shared_ptr<std::atomic<bool>> m_cancelled;  // of the computation under way
    bool m_stale = true;
};

}  // namespace fovea::studio
