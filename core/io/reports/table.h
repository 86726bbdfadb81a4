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

    // Shown as printable() says, so that no name breaks a line.
    void add(std::vector<std::string> cells);
    // Two spaces between columns, no trailing spaces, a newline after every line.
    std::string text() const;

private:
    std::vector<Column> m_columns;
    std::vector<std::vector<std::string>> m_rows;
};

}  // namespace fovea
