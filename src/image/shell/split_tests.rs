//! What the splitter promises, line by line: text in, commands out.

use super::super::Command;
use super::*;

/// The commands as lines; `|` marks one that pipes on, `&` one in the background.
fn lines(text: &str) -> Vec<String> {
    Command::split(text).iter().map(line).collect()
}

fn line(command: &Command) -> String {
    let mut parts: Vec<String> =
        command.assignments.iter().map(|(name, word)| format!("{name}={}", word.text)).collect();
    parts.extend(command.words.iter().map(|word| word.text.clone()));
    parts.extend(command.redirects.iter().map(|(operator, word)| format!("{operator}{}", word.text)));
    if command.pipes_on {
        parts.push("|".to_owned());
    }
    if command.background {
        parts.push("&".to_owned());
    }
    parts.join(" ")
}

#[test]
fn lists_and_pipes() {
    for (text, want) in [
        ("", vec![]),
        (" \n ; ", vec![]),
        ("a b; c&&d||e", vec!["a b", "c", "d", "e"]),
        ("set -eux; \tmkdir -p /opt/x; \ttouch /opt/x/a", vec!["set -eux", "mkdir -p /opt/x", "touch /opt/x/a"]),
        ("curl -s u | sh -s -- -y", vec!["curl -s u |", "sh -s -- -y"]),
        ("a |& b & c", vec!["a |", "b &", "c"]),
        ("a \\\n  b \\\r\n c", vec!["a b c"]),
        ("a # b; c\nd#e # f", vec!["a", "d#e"]),
        ("A=1 B='x y' C= run -v", vec!["A=1 B=x y C= run -v"]),
        ("A=1; export B=2", vec!["A=1", "export B=2"]),
        ("a=(x y) b", vec!["a=(x y) b"]),
        ("'A'=1 x", vec!["A=1 x"]),
    ] {
        assert_eq!(lines(text), want, "{text}");
    }
}

#[test]
fn quotes_and_escapes() {
    for (text, want) in [
        (r#"echo "a;b" 'c|d' e\;f"#, "echo a;b c|d e;f"),
        (r#"echo "a\"b\\c\d""#, r#"echo a"b\c\d"#),
        ("echo 'a\\'b", "echo a\\b"),
        ("echo $'a\\tb\\x41'", "echo a\tbA"),
        ("echo \"it's\" don\\'t", "echo it's don't"),
        ("echo 'no end; x", "echo no end; x"),
        ("echo \"no end; x", "echo no end; x"),
        ("echo \"a\\\nb\"", "echo ab"),
        ("rm -rf /x/!(a|b) {a,b}", "rm -rf /x/!(a|b) {a,b}"),
        ("grüße 'ß' x\\", "grüße ß x\\"),
        ("echo ${x:-a;b} $((1+2)) $x", "echo ${x:-a;b} $((1+2)) $x"),
    ] {
        assert_eq!(lines(text), [want], "{text}");
    }
    let words = &Command::split("a 'b' $c \"$(d)\" e\\ f")[0].words;
    let marks: Vec<_> = words.iter().map(|word| (word.quoted, word.expands)).collect();
    assert_eq!(marks, [(false, false), (true, false), (false, true), (true, true), (true, false)]);
}

#[test]
fn compound_commands() {
    for (text, want) in [
        ("if a; then b; elif c; then d; else e; fi; f", vec!["a", "b", "c", "d", "e", "f"]),
        ("while ! a; do b; done < in | c", vec!["a", "b <in |", "c"]),
        ("for x in 1 2 $(list); do run $x; done", vec!["run $x", "list"]),
        ("for x\ndo a\ndone", vec!["a"]),
        ("for ((i=0;i<3;i++)); do a; done; b", vec!["a", "b"]),
        ("until a; do b; done", vec!["a", "b"]),
        ("(a; b) | c", vec!["a", "b |", "c"]),
        ("{ a; b $(x); } 2>&1 | c", vec!["a", "b $(x) 2>&1 |", "c", "x"]),
        ("{ a; } & b", vec!["a &", "b"]),
        (
            "case \"$x\" in a|b) one;; (c) two ;; *) three; four;; esac; five",
            vec!["one", "two", "three", "four", "five"],
        ),
        ("case x in\na)\n case y in b) one ;; esac ;;\nc) two\nesac", vec!["one", "two"]),
        ("f() { a; }; f", vec!["a", "f"]),
        ("f () ( a )\nf", vec!["a", "f"]),
        ("function g { a; }; function h() { b; }", vec!["a", "b"]),
        ("[[ -f x && ( $a == b || c < d ) ]] && e", vec!["[[ -f x & & ( $a == b | | c < d ) ]]", "e"]),
        ("((a++)); b", vec!["b"]),
        ("((a); b); c", vec!["a", "b", "c"]),
        ("time a; ! b; if true", vec!["a", "b", "true"]),
        ("echo if then; echo } {", vec!["echo if then", "echo } {"]),
        ("a) b; esac; fi }", vec!["a", "b"]),
    ] {
        assert_eq!(lines(text), want, "{text}");
    }
}

#[test]
fn compound_commands_keep_their_extent() {
    let marked = |text: &str| -> String {
        let show = |command: &Command| {
            let own = command.redirects.len() - command.shared_redirects;
            let redirect = |(operator, word): &(String, crate::image::Word)| format!("{operator}{}", word.text);
            let redirects: Vec<String> = command.redirects.iter().map(redirect).collect();
            let pipe = if command.pipes_on { "|" } else { ";" };
            let (own, shared) = (redirects[..own].concat(), redirects[own..].concat());
            let (open, close) = ("(".repeat(command.opens), ")".repeat(command.closes));
            format!("{open}{}{own}{close}{shared}{pipe}", command.program())
        };
        Command::list(text).iter().map(show).collect()
    };
    for (text, want) in [
        ("(a; b) | c", "(a;b)|c;"),
        ("{ a >x; b >y; } >z | c", "(a>x;b>y)>z|c;"),
        ("a | (b | { c; d; }) ; e", "a|(b|(c;d));e;"),
        ("if a; then b; else c; fi | d", "(a;b;c)|d;"),
        ("while read l; do (a); done <x; b", "(read;(a))<x;b;"),
        ("( ) | a; { } ; b", "a;b;"),
        ("case x in a) b;; c) d;; esac >y; e", "(b;d)>y;e;"),
        ("a $(b | c) `d`; sh -c 'e; f'", "a;sh;"),
        ("a) b; fi; done | c", "a;b|c;"),
    ] {
        assert_eq!(marked(text), want, "{text}");
    }
}

#[test]
fn words_that_are_one_expansion() {
    use crate::image::Expansion::{self, Output, Variable};
    let first = |text: &str| Command::list(text).remove(0).words.remove(0);
    for (text, want) in [
        ("\"$(a \"$(b)\" c)\"", Some(Output("a \"$(b)\" c".to_owned()))),
        ("`a b`", Some(Output("a b".to_owned()))),
        ("<(a)", Some(Output("a".to_owned()))),
        ("\"$x\"", Some(Variable("x"))),
        ("${x}", Some(Variable("x"))),
        ("$(a", Some(Output("a".to_owned()))),
        ("$(a)b", None),
        ("$(a)$(b)", None),
        ("`a``b`", None),
        ("$((1+1))", None),
        ("$x/y", None),
        ("${x:-y}", None),
        ("'$x'", None),
        ("x", None),
    ] {
        let word = first(text);
        let found: Option<Expansion<'_>> = word.expansion();
        assert_eq!(found, want, "{text}");
    }
    assert_eq!(first("a$(b)\"`c`\"'$(d)'").substitutions(), ["b", "c", "d"]);
}

#[test]
fn redirections() {
    for (text, want) in [
        ("a > x 2>&1 <y", vec!["a >x 2>&1 <y"]),
        ("a &>x; b >>y; c >&2 d 3<>z", vec!["a &>x", "b >>y", "c d >&2 3<>z"]),
        ("a 2 > x", vec!["a 2 >x"]),
        ("a >| x {fd}>y", vec!["a >|x {fd}>y"]),
        ("> x", vec![">x"]),
        ("a >", vec!["a >"]),
        ("a &>> x b", vec!["a b &>>x"]),
    ] {
        assert_eq!(lines(text), want, "{text}");
    }
}

#[test]
fn here_documents() {
    for (text, want) in [
        ("cat <<EOF > x && b\nbody; rm\nEOF\nc", vec!["cat <<EOF >x", "b", "c"]),
        ("cat <<ONE > /one && cat <<TWO > /two\nfirst\nONE\nsecond\nTWO", vec!["cat <<ONE >/one", "cat <<TWO >/two"]),
        ("cat <<-'E O' x\n\tbody\n\tE O\nc", vec!["cat x <<-E O", "c"]),
        ("cat <<EOF\nno end", vec!["cat <<EOF"]),
        ("cat <<EOF\n$(x) `y` \\$(z)\nEOF\na", vec!["cat <<EOF", "x", "y", "a"]),
        ("cat <<'EOF'\n$(x)\nEOF\na", vec!["cat <<EOF", "a"]),
        ("bash <<EOF\napt-get update\nEOF\na", vec!["bash <<EOF", "apt-get update", "a"]),
        ("cat <<EOF | sudo bash -s\nx\nEOF\na", vec!["cat <<EOF |", "sudo bash -s", "x", "a"]),
        ("python3 <<EOF\nimport os\nEOF\na", vec!["python3 <<EOF", "a"]),
        ("<<EOF\nset -e\nmkdir -p /opt/app", vec!["<<EOF", "set -e", "mkdir -p /opt/app"]),
        ("sh <<< 'a; b'", vec!["sh <<<a; b", "a", "b"]),
        ("a <<", vec!["a <<"]),
    ] {
        assert_eq!(lines(text), want, "{text}");
    }
}

#[test]
fn commands_in_words() {
    for (text, want) in [
        ("a $(b | c) d", vec!["a $(b | c) d", "b |", "c"]),
        ("a \"$(b \"$(c ')')\")\"", vec!["a $(b \"$(c ')')\")", "b $(c ')')", "c )"]),
        ("a `b \\`c\\``", vec!["a `b \\`c\\``", "b `c`", "c"]),
        ("a <(b) >(c)", vec!["a <(b) >(c)", "b", "c"]),
        ("X=$(b) Y=\"`c`\"", vec!["X=$(b) Y=`c`", "b", "c"]),
        ("curl $(x) | sh", vec!["curl $(x) |", "sh", "x"]),
        ("a $(case $x in y) b;; (z) c;; esac) d", vec!["a $(case $x in y) b;; (z) c;; esac) d", "b", "c"]),
        ("a $(b # )\n) c", vec!["a $(b # )\n) c", "b"]),
        ("a ${x:-$(b)} $(( $(c) + 1 ))", vec!["a ${x:-$(b)} $(( $(c) + 1 ))", "b", "c"]),
        ("sh -c 'a && b'", vec!["sh -c a && b", "a", "b"]),
        ("/bin/bash -euxo pipefail -c \"a | b\" x", vec!["/bin/bash -euxo pipefail -c a | b x", "a |", "b"]),
        ("sudo -u x bash -lc 'a'", vec!["sudo -u x bash -lc a", "a"]),
        ("sh -c \"x $(y)\"", vec!["sh -c x $(y)", "x $(y)", "y"]),
        ("eval 'a;' b", vec!["eval a; b", "a", "b"]),
        ("su - app -c 'a'", vec!["su - app -c a", "a"]),
        ("trap 'a' EXIT; trap - INT", vec!["trap a EXIT", "a", "trap - INT"]),
        (
            "find / -exec rm {} \\; -exec sh -c 'a' {} +",
            vec!["find / -exec rm {} ; -exec sh -c a {} +", "rm {}", "sh -c a {}", "a"],
        ),
        ("xargs -n1 sh -c 'a \"$0\"'", vec!["xargs -n1 sh -c a \"$0\"", "a $0"]),
        ("bash x.sh -c 'a'", vec!["bash x.sh -c a"]),
        ("a $(b", vec!["a $(b", "b"]),
        ("a `b", vec!["a `b", "b"]),
    ] {
        assert_eq!(lines(text), want, "{text}");
    }
}

#[test]
fn bounded_whatever_comes() {
    assert_eq!(Command::split(&"a;".repeat(30_000)).len(), MOST_COMMANDS);
    assert_eq!(Command::split(&"$(".repeat(100_000)).len(), 17); // the first word, and what the budget allows
    for piece in
        ["$(", "`", "((", "{ ", "case x in ", "a() ", "<<E\n", "\"$(", "[[ (", "${", "sh -c '", "eval \"$(", "a|", "\\"]
    {
        let text = piece.repeat(20_000);
        assert!(Command::split(&text).len() <= MOST_COMMANDS);
    }
    let finds = Command::split(&"find -exec ".repeat(20_000));
    let words: usize = finds.iter().map(|command| command.words.len()).sum();
    assert!(words < 10 * 40_000, "{words} words out of 40,000");
    let mut deep = "x".to_owned();
    for _ in 0..60 {
        deep = format!("$({deep})");
    }
    let found = Command::split(&deep);
    assert_eq!(found.len(), DEEPEST + 1);
}

proptest::proptest! {
    /// Whatever the text: no panic, and quoting never makes a command out of nothing.
    #[test]
    fn never_panics(text in r#"([ab$(){}'"`\\;&|<>#\n\t =!\[\]-]|EOF|<<|case|esac|in|sh -c |\$\(|ü){0,60}"#) {
        let found = Command::split(&text);
        proptest::prop_assert!(found.len() <= MOST_COMMANDS);
    }
}
