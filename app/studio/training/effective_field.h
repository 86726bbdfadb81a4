// Where one unit really looks: the engine's gradient as a picture, with the box that the analysis predicts.
#pragma once

#include "app/studio/training/engine_job.h"
#include "core/base/pixel_box.h"

#include <QDialog>
#include <QImage>

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;

namespace fovea::studio {

struct MeasuredField {
    EffectiveReply reply;
    QImage picture;                     // a pixel each; brightness is the root of the share of the largest value
    std::optional<PixelBox> predicted;  // inside the image
    QString error;
};

class FieldPicture : public QWidget {
    Q_OBJECT
public:
    explicit FieldPicture(QWidget* parent = nullptr);
    void showField(const MeasuredField& field);
    QSize sizeHint() const override { return {360, 360}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    MeasuredField m_field;
};

class EffectiveFieldDialog : public QDialog {
    Q_OBJECT
public:
    // Measures at once. `data`: offered beside noise; its source may be empty.
    EffectiveFieldDialog(Document& document, std::string layer, DataUse data, QString device,
                         QWidget* parent = nullptr);

private:
    void measure();
    void take(const Json& result);
    void showField(const MeasuredField& field);
    void end(const QString& state);

    Network m_network;
    PerAxis<std::int64_t> m_side;
    std::string m_layer;
    DataUse m_data;
    QString m_device;
    std::shared_ptr<EngineJob> m_job;
    FieldPicture* m_picture;
    QComboBox* m_images;
    QProgressBar* m_progress;
    QPushButton* m_measure;
    QLabel* m_text;
};

}  // namespace fovea::studio
