#include "app/studio/charts/at_sizes.h"

#include <QRegularExpression>

#include <algorithm>

namespace fovea::studio {

std::vector<AtSize> analyzeAtSizes(const Graph& graph, const std::vector<PerAxis<std::int64_t>>& sides, const MemoryOptions& memory,
                                   const std::atomic<bool>& cancelled)
{
    std::vector<AtSize> out;
    for (const auto& side : sides) {
        if (cancelled) break;
        const Report report = analyze(withSide(graph, side.h, side.w));
        const MemoryReport bytes = memoryOf(report, memory);
        out.push_back({side, report.summary, bytes.training, bytes.inference});
    }
    return out;
}

std::vector<PerAxis<std::int64_t>> readSizes(const QString& text)
{
    static const QRegularExpression one(QStringLiteral("^(\\d{1,6})(?:[x\u00d7](\\d{1,6}))?$"));
    std::vector<PerAxis<std::int64_t>> out;
    for (const QString& part : text.split(QRegularExpression(QStringLiteral("[,;\\s]+")), Qt::SkipEmptyParts)) {
        const auto match = one.match(part);
        const std::int64_t h = match.captured(1).toLongLong(), w = match.captured(2).isEmpty() ? h : match.captured(2).toLongLong();
        if (!match.hasMatch() || h < 1 || w < 1) return {};
        out.push_back({h, w});
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return std::pair(a.h, a.w) < std::pair(b.h, b.w); });
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out.size() > 64 ? std::vector<PerAxis<std::int64_t>>{} : out;
}

double placeOf(std::int64_t side, const std::vector<AtSize>& rows)
{
    if (rows.empty() || side < rows.front().side.h) return 0.5;
    for (std::size_t i = 1; i < rows.size(); ++i) {
        const auto low = rows[i - 1].side.h, high = rows[i].side.h;
        if (side <= high && high > low) return static_cast<double>(i) + static_cast<double>(side - low) / static_cast<double>(high - low);
    }
    return static_cast<double>(rows.size()) + (side == rows.back().side.h ? 0.0 : 0.5);
}

}  // namespace fovea::studio
