//! Priorities of streams, as their client states them.

/// What is stated of a stream's priority, in either scheme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Priority {
    /// By RFC 9218.
    pub urgency: Option<Urgency>,
    /// By RFC 7540 section 5.3.
    pub dependency: Option<Dependency>,
}

/// A priority of RFC 9218 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Urgency {
    /// 0 to 7; 0 is the most urgent.
    pub level: u8,
    /// What has come of the response is of use already.
    pub incremental: bool,
}

/// A priority of RFC 7540 section 5.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// 1 to 256.
    pub weight: u16,
    /// The stream depended on, 0 where there is none.
    pub on: u32,
    /// It alone depends on that one.
    pub exclusive: bool,
}

impl Urgency {
    /// How many levels there are.
    pub const LEVELS: usize = 8;
    /// That of a stream of which nothing is stated.
    pub const DEFAULT: Self = Self { level: 3, incremental: false };

    /// Reads the value of a field `priority`, or of a frame `PRIORITY_UPDATE`: a dictionary of structured fields (RFC 9651
    /// section 3.2). What is not understood is left at its default.
    pub fn parse(value: &[u8]) -> Self {
        let mut urgency = Self::DEFAULT;
        let mut quoted = false;
        let is_end = |byte: &u8| {
            quoted ^= *byte == b'"';
            *byte == b',' && !quoted
        };
        for member in value.split(is_end) {
            let member = member.split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
            match member {
                [b'u', b'=', level @ b'0'..=b'7'] => urgency.level = level - b'0',
                b"i" | b"i=?1" => urgency.incremental = true,
                b"i=?0" => urgency.incremental = false,
                _ => {}
            }
        }
        urgency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_a_dictionary() {
        for (value, level, incremental) in [
            ("", 3, false),
            ("u=0", 0, false),
            ("u=5, i", 5, true),
            ("i=?1,u=7", 7, true),
            ("i, i=?0", 3, false),
            ("u=1;a=2, x=\"u=6, i\"", 1, false),
            ("u=8, i=1", 3, false),
            ("u=-1", 3, false),
            ("U=1", 3, false),
        ] {
            assert_eq!(Urgency::parse(value.as_bytes()), Urgency { level, incremental }, "{value}");
        }
    }
}
