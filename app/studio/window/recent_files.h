// The files opened last, kept in the settings.
#pragma once

#include <QStringList>

namespace fovea::studio {

QStringList recentFiles();  // newest first, existing ones only
void rememberFile(const QString& path);
void forgetFiles();

}  // namespace fovea::studio
