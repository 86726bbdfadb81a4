#include "app/studio/training/effective_field.h"

#include "app/studio/document/background.h"
#include "app/studio/look/theme.h"
#include "app/studio/look/words.h"
#include "app/studio/training/broken_images.h"
#include "core/analysis/unit_field.h"
#include "core/io/safetensors/safetensors.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFile>
#include <QLabel>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace fovea::studio {

namespace {

const QColor kPredicted(0xff, 0xff, 0xff), kEffective(0xe6, 0x9f, 0x00);
constexpr std::int64_t kImages = 32;

QImage pictureOf(const Tensor& field)
{
    if (field.dims.size() != 2) throw Error(ErrorCode::Format, "The field that was measured is no image.");
    const auto height = static_cast<int>(field.dims[0]), width = static_cast<int>(field.dims[1]);
    double most = 0;
    for (std::int64_t i = 0; i < field.elements(); ++i) most = std::max(most, field.real(i));
    QImage out(width, height, QImage::Format_RGB32);
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) {
            const double value = field.real(std::int64_t(y) * width + x);
            out.setPixelColor(x, y, sequentialColor(most > 0 ? std::sqrt(value / most) : 0));
        }
    return out;
}

MeasuredField readField(const EffectiveReply& reply, const std::string& file, const Graph& graph,
                        const std::string& layer)
{
    MeasuredField out;
    out.reply = reply;
    try {
        const Weights read = readSafetensors(file);
        const Tensor* field = read.find("field");
        if (!field) throw Error(ErrorCode::Format, "The engine has written no field.");
        out.picture = pictureOf(*field);
        out.predicted = unitField(graph, layer, {reply.unit[0], reply.unit[1]}).clipped;
    } catch (const std::exception& error) {
        out.error = QString::fromUtf8(error.what());
    }
    return out;
}

}  // namespace

FieldPicture::FieldPicture(QWidget* parent) : QWidget(parent)
{
    setObjectName(QStringLiteral("effectiveField"));
    setMinimumSize(200, 200);
}

void FieldPicture::showField(const MeasuredField& field)
{
    m_field = field;
    setAccessibleName(
        tr("Effective receptive field of %1 by %2 pixels").arg(field.picture.width()).arg(field.picture.height()));
    update();
}

void FieldPicture::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.fillRect(rect(), palette().color(QPalette::Base));
    if (m_field.picture.isNull()) return;
    const QSize size = m_field.picture.size().scaled(this->size(), Qt::KeepAspectRatio);
    const QRectF area(QPointF((width() - size.width()) / 2.0, (height() - size.height()) / 2.0), size);
    painter.drawImage(area, m_field.picture);
    const double scale = area.width() / m_field.picture.width();
    painter.setRenderHint(QPainter::Antialiasing);
    const auto frame = [&](double top, double left, double bottom, double right, const QColor& color,
                           Qt::PenStyle style) {
        const QRectF box =
            QRectF(area.left() + left * scale, area.top() + top * scale, (right - left) * scale, (bottom - top) * scale)
                .adjusted(1, 1, -1, -1);
        // Seen on bright and dark ground.
        painter.setPen(QPen(QColor(0, 0, 0, 150), 4));
        painter.drawRect(box);
        painter.setPen(QPen(color, 2, style));
        painter.drawRect(box);
    };
    if (m_field.predicted) {
        const PixelBox& box = *m_field.predicted;
        frame(static_cast<double>(box.top), static_cast<double>(box.left), static_cast<double>(box.bottom),
              static_cast<double>(box.right), kPredicted, Qt::DashLine);
    }
    if (m_field.reply.box) {
        const auto& box = *m_field.reply.box;
        frame(static_cast<double>(box[0]), static_cast<double>(box[1]), static_cast<double>(box[2]),
              static_cast<double>(box[3]), kEffective, Qt::SolidLine);
    }
}

EffectiveFieldDialog::EffectiveFieldDialog(Document& document, std::string layer, DataUse data, QString device,
                                           QWidget* parent)
    : QDialog(parent), m_network(document.network()), m_side(document.report()->side), m_layer(std::move(layer)),
      m_data(std::move(data)), m_device(std::move(device)), m_picture(new FieldPicture), m_images(new QComboBox),
      m_progress(new QProgressBar), m_measure(new QPushButton(tr("&Measure"))), m_text(new QLabel)
{
    setObjectName(QStringLiteral("effectiveFieldDialog"));
    setWindowTitle(tr("Effective field of %1").arg(moduleName(m_layer)));
    resize(420, 560);
    m_images->setObjectName(QStringLiteral("fieldImages"));
    m_images->setAccessibleName(tr("Images"));
    m_images->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_images->addItem(tr("on random noise"));
    if (!m_data.source.empty()) m_images->addItem(tr("on validation images of %1").arg(text(m_data.source)));
    m_measure->setObjectName(QStringLiteral("fieldMeasure"));
    m_progress->setRange(0, 0);
    m_progress->setTextVisible(false);
    m_progress->setMaximumHeight(6);
    m_text->setObjectName(QStringLiteral("fieldText"));
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* row = new QHBoxLayout;
    row->addWidget(m_images, 1);
    row->addWidget(m_measure);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(m_measure, &QPushButton::clicked, this, &EffectiveFieldDialog::measure);
    auto* layout = new QVBoxLayout(this);
    layout->addLayout(row);
    layout->addWidget(m_progress);
    layout->addWidget(m_picture, 1);
    layout->addWidget(m_text);
    layout->addWidget(buttons);
    measure();
}

void EffectiveFieldDialog::measure()
{
    if (m_job) return;
    m_measure->setEnabled(false);
    m_progress->show();
    m_text->setText(tr("Measuring\u2026"));
    m_job = {new EngineJob(EngineNetwork{m_network, false, m_side}, m_device),
             [](EngineJob* job) { job->deleteLater(); }};
    EffectiveRequest request;
    request.layer = m_layer;
    request.image = QFile::encodeName(m_job->folder() + QStringLiteral("/field.safetensors")).toStdString();
    if (m_images->currentIndex() > 0) {
        request.data = m_data;
        request.data.images = kImages;
    }
    connect(m_job.get(), &EngineJob::refused, this, &EffectiveFieldDialog::end);
    connect(m_job.get(), &EngineJob::died, this, &EffectiveFieldDialog::end);
    connect(m_job.get(), &EngineJob::finished, this, &EffectiveFieldDialog::take);
    m_job->start(request);
}

void EffectiveFieldDialog::take(const Json& result)
{
    EffectiveReply reply;
    try {
        reply = messageFrom<EffectiveReply>(result);
    } catch (const Error& error) {
        end(QString::fromUtf8(error.what()));
        return;
    }
    const auto read = [reply,
                       file = QFile::encodeName(m_job->folder() + QStringLiteral("/field.safetensors")).toStdString(),
                       graph = m_network.graph, layer = m_layer] { return readField(reply, file, *graph, layer); };
    // The job keeps the file until it is read.
    inBackground(this, read, [this, job = m_job](const MeasuredField& field) { showField(field); });
}

void EffectiveFieldDialog::showField(const MeasuredField& field)
{
    if (!field.error.isEmpty()) {
        end(field.error);
        return;
    }
    m_picture->showField(field);
    const EffectiveReply& reply = field.reply;
    QStringList lines;
    if (field.predicted)
        lines << tr("White, dashed: what the unit can read, %1 x %2 px.")
                     .arg(field.predicted->height())
                     .arg(field.predicted->width());
    if (reply.box)
        lines << tr("Orange: where the gradient is above 4.55 % of its largest value, %1 x %2 px; diameter %3 px, "
                    "deviation %4 px.")
                     .arg((*reply.box)[2] - (*reply.box)[0])
                     .arg((*reply.box)[3] - (*reply.box)[1])
                     .arg(reply.diameter, 0, 'f', 1)
                     .arg(reply.sigma, 0, 'f', 1);
    else lines << tr("No gradient reaches the image.");
    lines << tr("Unit %1, %2; mean of %3 images; brightness is the root of the gradient.")
                 .arg(reply.unit[0])
                 .arg(reply.unit[1])
                 .arg(reply.images) +
                 brokenText(reply.broken);
    end(lines.join(QLatin1Char('\n')));
}

void EffectiveFieldDialog::end(const QString& state)
{
    m_text->setText(state);
    m_progress->hide();
    m_measure->setEnabled(true);
    m_job.reset();
}

}  // namespace fovea::studio
