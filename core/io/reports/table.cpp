#include "core/io/reports/table.h"

#include "core/base/printable.h"

#include <algorithm>

namespace fovea {

namespace {

// Characters, not bytes: layer names may be UTF-8.
std::size_t widthOf(const std::string& text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

void TextTable::add(std::vector<std::string> cells)
{
    for (std::string& cell : cells) cell = printable(cell);
    m_rows.push_back(std::move(cells));
}

std::string TextTable::text() const
{
    std::vector<std::size_t> widths;
    for (const Column& column : m_columns) widths.push_back(widthOf(column.title));
    for (const auto& row : m_rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], widthOf(row[i]));
    std::string out;
    const auto addLine = [&](const auto& cellAt) {
        std::string line;
        for (std::size_t i = 0; i < m_columns.size(); ++i) {
            const std::string& cell = cellAt(i);
            const std::string space(widths[i] - widthOf(cell), ' ');
            line += (i ? "  " : "") + (m_columns[i].right ? space + cell : cell + space);
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + "\n";
    };
    addLine([&](std::size_t i) -> const std::string& { return m_columns[i].title; });
    for (const auto& row : m_rows) addLine([&](std::size_t i) -> const std::string& { return row[i]; });
    return out;
}

}  // namespace fovea
