//! Until when distributions are supported: a table of public dates. Compares dates, judges nothing.

/// The day on which the table below was last compared with the distributions' own announcements. The program runs later
/// than that, so that whatever ended before it has ended.
pub const TABLE_DATE: &str = "2026-11-21";

/// `ID` of os-release, `VERSION_ID` (up to the parts that matter), end of the free support by the distribution itself, end
/// of the free extended support (Debian LTS); all inclusive.
const ENDS: &[(&str, &str, &str, &str)] = &[
    // wiki.almalinux.org, "Release Notes"
    ("almalinux", "8", "2029-03-01", ""),
    ("almalinux", "9", "2032-05-31", ""),
    ("almalinux", "10", "2035-05-31", ""),
    // alpinelinux.org, "Releases"; two years from the release
    ("alpine", "3.0", "2016-05-01", ""),
    ("alpine", "3.1", "2016-11-01", ""),
    ("alpine", "3.2", "2017-05-01", ""),
    ("alpine", "3.3", "2017-11-01", ""),
    ("alpine", "3.4", "2018-05-01", ""),
    ("alpine", "3.5", "2018-11-01", ""),
    ("alpine", "3.6", "2019-05-01", ""),
    ("alpine", "3.7", "2019-11-01", ""),
    ("alpine", "3.8", "2020-05-01", ""),
    ("alpine", "3.9", "2020-11-01", ""),
    ("alpine", "3.10", "2021-05-01", ""),
    ("alpine", "3.11", "2021-11-01", ""),
    ("alpine", "3.12", "2022-05-01", ""),
    ("alpine", "3.13", "2022-11-01", ""),
    ("alpine", "3.14", "2023-05-01", ""),
    ("alpine", "3.15", "2023-11-01", ""),
    ("alpine", "3.16", "2024-05-23", ""),
    ("alpine", "3.17", "2024-11-22", ""),
    ("alpine", "3.18", "2025-05-09", ""),
    ("alpine", "3.19", "2025-11-01", ""),
    ("alpine", "3.20", "2026-04-01", ""),
    ("alpine", "3.21", "2026-11-01", ""),
    ("alpine", "3.22", "2027-05-01", ""),
    ("alpine", "3.23", "2027-11-01", ""),
    // "Amazon Linux 2 FAQs"; "AL2023 release cadence"
    ("amzn", "2", "2026-06-30", ""),
    ("amzn", "2018.03", "2023-12-31", ""),
    ("amzn", "2023", "2029-06-30", ""),
    // centos.org, "End dates"; of CentOS Linux and CentOS Stream, which both say 8, the later one
    ("centos", "5", "2017-03-31", ""),
    ("centos", "6", "2020-11-30", ""),
    ("centos", "7", "2024-06-30", ""),
    ("centos", "8", "2024-05-31", ""),
    ("centos", "9", "2027-05-31", ""),
    ("centos", "10", "2030-01-01", ""),
    // distro-info-data, debian.csv: eol, eol-lts
    ("debian", "5", "2012-02-06", ""),
    ("debian", "6", "2014-05-31", "2016-02-29"),
    ("debian", "7", "2016-04-25", "2018-05-31"),
    ("debian", "8", "2018-06-17", "2020-06-30"),
    ("debian", "9", "2020-07-18", "2022-06-30"),
    ("debian", "10", "2022-09-10", "2024-06-30"),
    ("debian", "11", "2024-08-14", "2026-08-31"),
    ("debian", "12", "2026-07-11", "2028-06-30"),
    ("debian", "13", "2028-08-09", "2030-06-30"),
    // docs.fedoraproject.org, "End of Life Releases"
    ("fedora", "20", "2015-06-23", ""),
    ("fedora", "21", "2015-12-01", ""),
    ("fedora", "22", "2016-07-19", ""),
    ("fedora", "23", "2016-12-20", ""),
    ("fedora", "24", "2017-08-08", ""),
    ("fedora", "25", "2017-12-12", ""),
    ("fedora", "26", "2018-05-29", ""),
    ("fedora", "27", "2018-11-30", ""),
    ("fedora", "28", "2019-05-28", ""),
    ("fedora", "29", "2019-11-26", ""),
    ("fedora", "30", "2020-05-26", ""),
    ("fedora", "31", "2020-11-24", ""),
    ("fedora", "32", "2021-05-25", ""),
    ("fedora", "33", "2021-11-30", ""),
    ("fedora", "34", "2022-06-07", ""),
    ("fedora", "35", "2022-12-13", ""),
    ("fedora", "36", "2023-05-16", ""),
    ("fedora", "37", "2023-12-05", ""),
    ("fedora", "38", "2024-05-21", ""),
    ("fedora", "39", "2024-11-26", ""),
    ("fedora", "40", "2025-05-13", ""),
    ("fedora", "41", "2025-12-15", ""),
    ("fedora", "42", "2026-05-13", ""),
    // CBL-Mariner, "Lifecycle"
    ("mariner", "1.0", "2023-07-31", ""),
    ("mariner", "2.0", "2025-07-31", ""),
    // "Oracle Linux Support Policies": Premier Support
    ("ol", "6", "2021-03-31", ""),
    ("ol", "7", "2024-12-31", ""),
    ("ol", "8", "2029-07-31", ""),
    ("ol", "9", "2032-06-30", ""),
    ("ol", "10", "2035-06-30", ""),
    // en.opensuse.org, "Lifetime"
    ("opensuse-leap", "15.2", "2022-01-04", ""),
    ("opensuse-leap", "15.3", "2022-12-31", ""),
    ("opensuse-leap", "15.4", "2023-12-07", ""),
    ("opensuse-leap", "15.5", "2024-12-31", ""),
    ("opensuse-leap", "15.6", "2026-04-30", ""),
    ("opensuse-leap", "16.0", "2027-10-31", ""),
    // "Red Hat Enterprise Linux Life Cycle": Maintenance Support
    ("rhel", "5", "2017-03-31", ""),
    ("rhel", "6", "2020-11-30", ""),
    ("rhel", "7", "2024-06-30", ""),
    ("rhel", "8", "2029-05-31", ""),
    ("rhel", "9", "2032-05-31", ""),
    ("rhel", "10", "2035-05-31", ""),
    // wiki.rockylinux.org, "Rocky Linux Release and Version Guide"
    ("rocky", "8", "2029-05-31", ""),
    ("rocky", "9", "2032-05-31", ""),
    ("rocky", "10", "2035-05-31", ""),
    // "SUSE Product Support Lifecycle": general support
    ("sles", "12.5", "2024-10-31", ""),
    ("sles", "15.1", "2021-01-31", ""),
    ("sles", "15.2", "2021-12-31", ""),
    ("sles", "15.3", "2022-12-31", ""),
    ("sles", "15.4", "2023-12-31", ""),
    ("sles", "15.5", "2024-12-31", ""),
    ("sles", "15.6", "2025-12-31", ""),
    ("sles", "15.7", "2031-07-31", ""),
    // distro-info-data, ubuntu.csv: eol
    ("ubuntu", "12.04", "2017-04-28", ""),
    ("ubuntu", "14.04", "2019-04-25", ""),
    ("ubuntu", "14.10", "2015-07-23", ""),
    ("ubuntu", "15.04", "2016-02-04", ""),
    ("ubuntu", "15.10", "2016-07-28", ""),
    ("ubuntu", "16.04", "2021-04-30", ""),
    ("ubuntu", "16.10", "2017-07-20", ""),
    ("ubuntu", "17.04", "2018-01-13", ""),
    ("ubuntu", "17.10", "2018-07-19", ""),
    ("ubuntu", "18.04", "2023-05-31", ""),
    ("ubuntu", "18.10", "2019-07-18", ""),
    ("ubuntu", "19.04", "2020-01-23", ""),
    ("ubuntu", "19.10", "2020-07-17", ""),
    ("ubuntu", "20.04", "2025-05-29", ""),
    ("ubuntu", "20.10", "2021-07-22", ""),
    ("ubuntu", "21.04", "2022-01-20", ""),
    ("ubuntu", "21.10", "2022-07-14", ""),
    ("ubuntu", "22.04", "2027-06-01", ""),
    ("ubuntu", "22.10", "2023-07-20", ""),
    ("ubuntu", "23.04", "2024-01-25", ""),
    ("ubuntu", "23.10", "2024-07-11", ""),
    ("ubuntu", "24.04", "2029-05-31", ""),
    ("ubuntu", "24.10", "2025-07-10", ""),
    ("ubuntu", "25.04", "2026-01-15", ""),
    ("ubuntu", "25.10", "2026-07-09", ""),
    ("ubuntu", "26.04", "2031-05-29", ""),
    ("ubuntu", "26.10", "2027-07-15", ""),
];

/// The last day of support of this release, as `YYYY-MM-DD`; `None` for one that the table does not hold. With `extended`
/// the longest free support counts.
pub fn end_of_support(id: &str, version: &str, extended: bool) -> Option<&'static str> {
    let fits = |known: &str| version == known || version.strip_prefix(known).is_some_and(|rest| rest.starts_with('.'));
    let development = version.contains(['_', '~']) || version.contains("alpha") || version.contains("rc");
    let rows = ENDS.iter().filter(|(known, release, ..)| *known == id && fits(release) && !development);
    let (_, _, plain, long) = rows.max_by_key(|(_, release, ..)| release.len())?;
    Some(if extended && !long.is_empty() { long } else { plain })
}

/// The day in front of an RFC 3339 time or a plain date; `None` when it is neither.
pub fn day(text: &str) -> Option<&str> {
    let day = text.get(..10)?;
    let well_formed =
        day.bytes().enumerate().all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() });
    (well_formed && text[10..].chars().next().is_none_or(|next| matches!(next, 'T' | 't' | ' '))).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_by_the_parts_that_matter() {
        assert_eq!(end_of_support("debian", "12", false), Some("2026-07-11"));
        assert_eq!(end_of_support("ubuntu", "20.04", true), Some("2025-05-29"));
        assert_eq!(end_of_support("ubuntu", "25.10", true), Some("2026-07-09"));
        assert_eq!(end_of_support("sles", "15.6", true), Some("2025-12-31"));
        assert_eq!(end_of_support("debian", "10", true), Some("2024-06-30"));
        assert_eq!(end_of_support("debian", "10", false), Some("2022-09-10"));
        assert_eq!(end_of_support("alpine", "3.10.9", true), Some("2021-05-01"));
        assert_eq!(end_of_support("alpine", "3.1.4", true), Some("2016-11-01"));
        assert_eq!(end_of_support("debian", "1", true), None);
        assert_eq!(end_of_support("alpine", "3.22_alpha20250108", true), None);
        assert_eq!(end_of_support("rhel", "8.10", true), Some("2029-05-31"));
        assert_eq!(end_of_support("wolfi", "20230201", true), None);
        assert_eq!(end_of_support("debian", "", true), None);
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(ENDS.iter().all(|(.., plain, long)| day(plain).is_some() && (long.is_empty() || long > plain)));
        assert!(ENDS.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    }

    #[test]
    fn days() {
        assert_eq!(day("2026-01-01T00:00:00Z"), Some("2026-01-01"));
        assert_eq!(day("2026-01-01"), Some("2026-01-01"));
        for bad in ["", "2026-1-1", "20260101T00", "2026-01-011", "yesterday!!"] {
            assert_eq!(day(bad), None, "{bad}");
        }
    }
}
