//! Forms (`application/x-www-form-urlencoded`) and query strings.

/// The names and values of a form, decoded.
pub fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

/// Plus is a space, a percent sign and two digits are an octet. What is not valid stays.
pub(super) fn decode(text: &str) -> String {
    let digit = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
    let (mut out, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match (octet, digit(after.first()), digit(after.get(1))) {
            (b'+', ..) => out.push(b' '),
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => out.push(octet),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let read: Vec<_> = pairs("city=%C5%81%C3%B3d%C5%BA&q=a%26b%3Dc+d&empty=&&bare&bad=%zz%2").collect();
        let expected = [
            pair("city", "Łódź"),
            pair("q", "a&b=c d"),
            pair("empty", ""),
            pair("bare", ""),
            pair("bad", "%zz%2"),
        ];
        assert_eq!(read, expected);
    }
}
