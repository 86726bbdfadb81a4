// An exact non-negative-denominator fraction in lowest terms, for jumps behind upsampling layers.
#pragma once

#include "core/base/checked.h"

#include <compare>
#include <cstdint>
#include <numeric>
#include <string>

namespace fovea {

class Rational {
public:
    constexpr Rational() = default;
    constexpr Rational(std::int64_t whole) : m_num(whole) {}
    // `den` must not be 0. Saturates where numerator or denominator leave the range of `saturate`.
    Rational(std::int64_t num, std::int64_t den)
    {
        if (den < 0) { num = -num; den = -den; }
        const std::int64_t g = std::gcd(num, den);
        m_num = g ? num / g : 0;
        m_den = g ? den / g : 1;
    }

    std::int64_t num() const { return m_num; }
    std::int64_t den() const { return m_den; }
    bool isWhole() const { return m_den == 1; }
    double value() const { return static_cast<double>(m_num) / static_cast<double>(m_den); }
    std::int64_t floor() const { return floorDiv(m_num, m_den); }
    std::int64_t ceil() const { return ceilDiv(m_num, m_den); }

    friend Rational operator*(Rational a, Rational b)
    {
        if (a.m_den == 1 && b.m_den == 1) return Rational(saturatingMul(a.m_num, b.m_num));
        const std::int64_t g1 = std::gcd(a.m_num, b.m_den), g2 = std::gcd(b.m_num, a.m_den);
        return Rational(saturatingMul(a.m_num / (g1 ? g1 : 1), b.m_num / (g2 ? g2 : 1)),
                        saturatingMul(a.m_den / (g2 ? g2 : 1), b.m_den / (g1 ? g1 : 1)));
    }
    friend Rational operator/(Rational a, Rational b) { return a * Rational(b.m_den, b.m_num); }
    friend Rational operator+(Rational a, Rational b)
    {
        if (a.m_den == 1 && b.m_den == 1) return Rational(saturatingAdd(a.m_num, b.m_num));
        return Rational(saturatingAdd(saturatingMul(a.m_num, b.m_den), saturatingMul(b.m_num, a.m_den)),
                        saturatingMul(a.m_den, b.m_den));
    }
    friend Rational operator-(Rational a, Rational b) { return a + Rational(-b.m_num, b.m_den); }
    bool operator==(const Rational&) const = default;
    friend std::strong_ordering operator<=>(Rational a, Rational b)
    {
        return static_cast<Int128>(a.m_num) * b.m_den <=> static_cast<Int128>(b.m_num) * a.m_den;
    }

    // "2" where whole, else "1/2".
    std::string text() const { return isWhole() ? std::to_string(m_num) : std::to_string(m_num) + "/" + std::to_string(m_den); }

private:
    std::int64_t m_num = 0;
    std::int64_t m_den = 1;
};

}  // namespace fovea
