#include "app/studio/training/data_source.h"

#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QSettings>
#include <QSignalBlocker>
#include <QToolButton>

namespace fovea::studio {

namespace {

const QString kKey = QStringLiteral("training/data");
const QString kPatterns = QStringLiteral("patterns");
constexpr int kKept = 8;

bool isBuiltIn(const QString& source) { return source == kPatterns || source.startsWith(kPatterns + QLatin1Char(':')); }

}  // namespace

DataSource::DataSource(QWidget* parent) : QWidget(parent), m_line(new QComboBox)
{
    m_line->setObjectName(QStringLiteral("dataSource"));
    m_line->setEditable(true);
    m_line->setInsertPolicy(QComboBox::NoInsert);
    m_line->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    m_line->setMinimumContentsLength(8);
    m_line->setAccessibleName(tr("Images"));
    m_line->setToolTip(tr("A folder with one folder of images per class (or train/ and val/ with such folders), a "
                          "folder with the files of CIFAR or MNIST (IDX), or \u201cpatterns\u201d, made on the fly."));
    auto* browse = new QToolButton;
    browse->setText(QStringLiteral("\u2026"));
    browse->setAccessibleName(tr("Choose a folder with images"));
    browse->setFocusPolicy(Qt::StrongFocus);
    browse->setObjectName(QStringLiteral("dataBrowse"));
    browse->setToolTip(tr("Choose a folder with images"));
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(4);
    row->addWidget(m_line, 1);
    row->addWidget(browse);
    setFocusProxy(m_line);
    fill();
    connect(m_line, &QComboBox::currentTextChanged, this, &DataSource::changed);
    connect(browse, &QToolButton::clicked, this, &DataSource::browse);
}

void DataSource::fill()
{
    const QSignalBlocker quiet(m_line);
    const QString now = m_line->currentText();
    const QStringList recent = QSettings().value(kKey).toStringList();
    m_line->clear();
    m_line->addItems(recent);
    if (!recent.contains(kPatterns)) m_line->addItem(kPatterns);
    m_line->setCurrentText(now.isEmpty() ? m_line->itemText(0) : now);
    m_line->lineEdit()->setCursorPosition(0);
}

QString DataSource::source() const { return m_line->currentText().trimmed(); }

void DataSource::setSource(const QString& source) { m_line->setCurrentText(source); }

QString DataSource::problem() const
{
    const QString name = source();
    if (name.isEmpty()) return tr("Choose the images: a folder, or \u201cpatterns\u201d.");
    if (isBuiltIn(name) || QFileInfo::exists(name)) return {};
    return tr("There is no folder \u201c%1\u201d.").arg(name);
}

void DataSource::remember()
{
    QStringList recent = QSettings().value(kKey).toStringList();
    recent.removeAll(source());
    recent.prepend(source());
    QSettings().setValue(kKey, QStringList(recent.mid(0, kKept)));
    fill();
}

void DataSource::browse()
{
    const QString from = QFileInfo(source()).isDir() ? source() : QDir::homePath();
    const QString folder = QFileDialog::getExistingDirectory(this, tr("Images to train on"), from);
    if (!folder.isEmpty()) setSource(folder);
}

}  // namespace fovea::studio
