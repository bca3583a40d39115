//! Numbers, kept as they were written.

/// A number as written: decimal, `0x` hexadecimal, `0` octal, or with a fraction or an exponent.
///
/// The text is kept because a setting that wants a string may be given a number (`bind_port = 8080`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    text: String,
}

impl Number {
    /// Takes `text` if it is a number that HCL knows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = if is_fraction(text) {
            text.parse::<f64>().is_ok_and(f64::is_finite)
        } else {
            integer_digits(text).is_some_and(|(digits, radix)| {
                !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix))
            })
        };
        known.then(|| Self { text: text.to_owned() })
    }

    /// The number as it was written.
    #[must_use]
    pub fn as_written(&self) -> &str {
        &self.text
    }

    /// The whole number, unless it has a fraction or does not fit.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if is_fraction(&self.text) {
            return None;
        }
        let (digits, radix) = integer_digits(&self.text)?;
        let magnitude = i128::from_str_radix(digits, radix).ok()?;
        i64::try_from(if self.text.starts_with('-') { -magnitude } else { magnitude }).ok()
    }

    /// The number as a float.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a float is what was asked for")]
    pub fn as_f64(&self) -> Option<f64> {
        if is_fraction(&self.text) { self.text.parse().ok() } else { self.as_i64().map(|n| n as f64) }
    }
}

fn is_fraction(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.starts_with("0x") && !digits.starts_with("0X") && digits.contains(['.', 'e', 'E'])
}

fn integer_digits(text: &str) -> Option<(&str, u32)> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return Some((hex, 16));
    }
    match digits.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => Some((octal, 8)),
        _ => digits.starts_with(|c: char| c.is_ascii_digit()).then_some((digits, 10)),
    }
}
