#include "app/studio/window/recent_files.h"

#include <QFileInfo>
#include <QSettings>

namespace fovea::studio {

namespace {

constexpr int kMostFiles = 10;
const char* const kKey = "recentFiles";

}  // namespace

QStringList recentFiles()
{
    QStringList out;
    for (const QString& path : QSettings().value(QLatin1String(kKey)).toStringList())
        if (QFileInfo::exists(path)) out << path;
    return out;
}

void rememberFile(const QString& path)
{
    QStringList files = QSettings().value(QLatin1String(kKey)).toStringList();
    const QString absolute = QFileInfo(path).absoluteFilePath();
    files.removeAll(absolute);
    files.prepend(absolute);
    QSettings().setValue(QLatin1String(kKey), QStringList(files.mid(0, kMostFiles)));
}

void forgetFiles() { QSettings().remove(QLatin1String(kKey)); }

}  // namespace fovea::studio
