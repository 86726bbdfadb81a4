#include "app/studio/training/broken_images.h"

#include "app/studio/look/words.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QStringList>

#include <algorithm>

namespace fovea::studio {

QString brokenText(const BrokenImages& broken)
{
    constexpr std::size_t kNamed = 3;
    if (broken.count == 0) return {};
    QStringList names;
    for (std::size_t i = 0; i < std::min(broken.named.size(), kNamed); ++i)
        names << QFileInfo(text(broken.named[i].name)).fileName();
    if (broken.count > names.size()) names << QStringLiteral("\u2026");
    const QString out = QCoreApplication::translate("BrokenImages", " Images that could not be read, and were left out: %1 (%2).")
                            .arg(broken.count)
                            .arg(names.join(QStringLiteral(", ")));
    if (names.isEmpty() || broken.named.front().why.empty()) return out;
    return out + QCoreApplication::translate("BrokenImages", " The first: %1").arg(text(broken.named.front().why));
}

}  // namespace fovea::studio
