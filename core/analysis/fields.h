// Receptive fields along one axis, carried from layer to layer.
//
// Where all layers are uniform (windows, no upsampling) a field is four numbers. Behind upsampling the field
// of unit u depends on u modulo a period, so it is carried as a function of u; composing those functions
// forward gives the same boxes as propagating an interval backward through the whole network.
#pragma once

#include "core/base/rational.h"
#include "core/ops/reach.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace fovea {

// First and last pixel that unit u sees: low[u mod P] + advance * floor(u / P), the same for high.
struct PeriodicField {
    std::vector<std::int64_t> low, high;  // one per unit of a period
    std::int64_t advance = 1;             // pixels per period

    std::int64_t period() const { return static_cast<std::int64_t>(low.size()); }
    std::int64_t lowAt(std::int64_t unit) const;
    std::int64_t highAt(std::int64_t unit) const;
    std::int64_t extent() const;  // largest over a period
    std::int64_t extentAt(std::int64_t unit) const { return highAt(unit) - lowAt(unit) + 1; }
    Rational jump() const { return Rational(advance, period()); }
};

// Paths that share one jump: union of their fields of unit 0 and the smallest field among them.
struct Strand {
    Rational jump = 1;
    std::int64_t low = 0, high = 0;
    std::int64_t smallest = 1;
    bool operator==(const Strand&) const = default;
};

// Paths of one jump behind upsampling.
struct Branch {
    PeriodicField hull;                // the union of them all
    std::vector<PeriodicField> paths;  // those that may be the smallest at some unit, here or behind further windows
};

// One of the two: branches of different jumps that met, or fields behind upsampling.
struct FieldDetail {
    std::vector<Strand> strands;          // AxisField::main is among them
    std::vector<Branch> branches;         // one a jump; several drift apart
    std::int64_t units = 0;               // of the map at the present size, behind upsampling; 0 unknown
    std::int64_t rfMin = 0, rfMax = 0;    // of the branches
};

struct FieldParts;

// Everything known of the paths from the input to one tensor, along one axis.
struct AxisField {
    bool finite = false;       // some path sees a bounded part of the input
    bool unbounded = false;    // some path runs through a global layer
    bool unknown = false;      // some path runs through a layer of unknown reach
    bool approximate = false;
    Strand main;               // where finite
    // What four numbers cannot say; null nearly everywhere.
    std::shared_ptr<const FieldDetail> detail;
    // Of maps joined along this axis, as long as no window has run over their seams; else null. The numbers above are
    // those of the part with most units.
    std::shared_ptr<const FieldParts> parts;
    std::int32_t seam = -1;  // who joined maps along this axis first, as whoever called joined() numbers its layers

    const std::vector<Strand>* strands() const { return detail && !detail->strands.empty() ? &detail->strands : nullptr; }
    const std::vector<Branch>* branches() const { return detail && detail->strands.empty() ? &detail->branches : nullptr; }

    bool carriesPath() const { return finite || unbounded || unknown; }
    std::int64_t rfMin() const;
    std::int64_t rfMax() const;
    std::int64_t start() const;
    Rational jump() const;

    static AxisField source();
    static AxisField ofUnknown();
};

struct FieldPart {
    std::int64_t begin = 0, units = 0;  // where it lies on the joined map
    AxisField field;                    // of its own first unit; carries no path where it is constant
};

struct FieldParts {
    std::vector<FieldPart> all;
};

// The field of maps that are joined along the axis, one behind the other: that of the part with most units, of equals the
// one with the larger field, then the earlier.
AxisField joined(std::vector<FieldPart> parts, std::int32_t seam);

// The field behind a layer that reads `in` as `reach` says.
AxisField step(const AxisField& in, const AxisReach& reach);

// The field behind a layer that joins several maps.
AxisField merge(const AxisField& a, const AxisField& b);

}  // namespace fovea
