// Columns of plain text.
#pragma once

#include <string>
#include <vector>

namespace fovea {

class TextTable {
public:
    struct Column {
        std::string title;
        bool right = false;  // numbers
    };
    explicit TextTable(std::vector<Column> columns) : m_columns(std::move(columns)) {}

    void add(std::vector<std::string> cells) { m_rows.push_back(std::move(cells)); }
    // Two spaces between columns, no trailing spaces, a newline after every line.
    std::string text() const;

private:
    std::vector<Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
};

}  // namespace fovea
