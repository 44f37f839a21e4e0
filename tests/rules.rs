//! One test for all rules: their form, and their examples. The rules under testdata/rules use every key of the match
//! language, and the rule that docs/adding-a-rule.md shows is taken from there.

use plimsoll::facts::Facts;
use plimsoll::facts::secrets::{self, Patterns};
use plimsoll::model::{Group, Limits, Location, Severity};
use plimsoll::rule::{ExampleImage, Found, Logic, Overrides, Problem, Rule, RuleSet, Sink, check_examples, explain};
use plimsoll::scan;
use std::path::Path;
use std::sync::LazyLock;

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn builtin() -> RuleSet {
    RuleSet::builtin().unwrap_or_else(|problems| panic!("rules/ cannot be read:\n{}", lines(&problems)))
}

fn testdata(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder)
}

#[test]
fn every_rule_is_whole() {
    let problems = builtin().problems();
    assert!(problems.is_empty(), "{}", lines(&problems));
}

#[test]
fn every_example_behaves() {
    let problems = check_examples(&builtin(), &generate, &look);
    assert!(problems.is_empty(), "{}", lines(&problems));
}

#[test]
fn the_match_language_does_what_its_page_says() {
    let rules = RuleSet::read_dir(&testdata("rules")).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    let mut problems = rules.problems();
    problems.extend(check_examples(&rules, &generate, &look));
    assert!(problems.is_empty(), "{}", lines(&problems));
}

#[test]
fn the_documented_rule_works() {
    let page = include_str!("../docs/adding-a-rule.md");
    let (_, rest) = page.split_once("````markdown\n").expect("the page shows a rule");
    let (rule, _) = rest.split_once("\n````\n").expect("the block ends");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("config")).expect("a folder");
    std::fs::write(folder.path().join("config/node-tls-unverified.md"), rule).expect("a file");
    let rules = RuleSet::read_dir(folder.path()).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    let mut problems = rules.problems();
    problems.extend(check_examples(&rules, &generate, &look));
    assert!(problems.is_empty(), "{}", lines(&problems));
    let both = builtin().with_dir(folder.path()).unwrap_or_else(|problems| panic!("{}", lines(&problems)));
    assert_eq!(both.rules().len(), builtin().rules().len() + 1);
    assert_ne!(both.digest(), builtin().digest());
}

#[test]
fn a_users_rule_takes_no_built_in_name_or_alias() {
    for (name, aliases) in [("runs-as-root", "[]"), ("my-rule", "['cis-di-0001']"), ("my-rule", "['runs-as-root']")] {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("identity")).expect("a folder");
        let text = format!(
            "```toml\nname = '{name}'\nseverity = 'low'\nsince = '0.1.0'\naliases = {aliases}\n\
             check = 'identity.runs_as_root'\n```\n"
        );
        std::fs::write(folder.path().join(format!("identity/{name}.md")), text).expect("a file");
        let problems = builtin().with_dir(folder.path()).expect_err("taken");
        assert!(problems[0].what.contains("is taken by rule"), "{}", problems[0]);
    }
}

/// A folder of rule files: path and text.
fn folder_of(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

/// A rule file whose head ends in `rest`.
fn rule_text(name: &str, rest: &str) -> String {
    format!("```toml\nname = '{name}'\nseverity = 'low'\nsince = '0.1.0'\n{rest}\n```\n# T\n")
}

#[test]
fn a_copy_of_a_built_in_rule_takes_nothing_from_it() {
    let own = RuleSet::read_dir(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).expect("rules");
    assert_eq!(own.taken(&builtin()), []);
    let text = rule_text("runs-as-root", "check = 'identity.runs_as_root'");
    let other = rule_text("mine", "aliases = [\n  'CIS-DI-0001',\n]\ncheck = 'identity.runs_as_root'");
    let folder = folder_of(&[("identity/runs-as-root.md", &text), ("identity/mine.md", &other)]);
    let own = RuleSet::read_dir(folder.path()).expect("rules");
    let taken: Vec<_> = own.taken(&builtin()).iter().map(|it| (it.line, it.what.clone())).collect();
    let says = |word: &str| format!("'{word}' is taken by rule runs-as-root");
    assert_eq!(taken, [(6, says("CIS-DI-0001")), (2, says("runs-as-root"))]);
}

#[test]
fn a_folder_without_rules_says_what_to_do() {
    let rule = rule_text("mine", "check = 'identity.runs_as_root'");
    let whole = folder_of(&[("config/mine.md", &rule), ("README.md", "# For people\n"), ("docs/x.txt", "x")]);
    assert_eq!(RuleSet::read_dir(whole.path()).expect("rules").rules().len(), 1);
    for (folder, below, says) in [
        (&folder_of(&[]), "", "no rules: they lie in folders that are called as their groups are (identity,"),
        (&folder_of(&[("README.md", "# For people\n")]), "", "no rules: "),
        (&folder_of(&[("rules/config/mine.md", &rule)]), "", "no rules: "),
        (&folder_of(&[("mine.md", &rule)]), "", "a rule lies in a folder that is called as its group is (identity,"),
        (&whole, "config", "'config' is the folder of a group: name the folder above it"),
        (&whole, "nothing", "no such directory"),
        (&whole, "README.md", "no such directory"),
    ] {
        let problems = RuleSet::read_dir(&folder.path().join(below)).expect_err(says);
        assert!(problems.len() == 1 && problems[0].what.starts_with(says), "{}", lines(&problems));
    }
}

#[test]
fn what_is_wrong_with_a_secret_has_a_line_and_hides_no_other_problem() {
    let secret = |rest: &str| rule_text("bad", &format!("[match.secret]\n{rest}"));
    for (text, line, says) in [
        (secret("tokens = ['abcd_{hex:8}']\ncolour = 'red'"), 7, "unknown field `colour`"),
        (secret("tokens = 5"), 6, "invalid type"),
        (secret("near = ['x']"), 5, "needs tokens, or a structure, not both"),
        (secret("tokens = ['abcd_{hexx:8}']"), 5, "unknown class hexx"),
    ] {
        let good = rule_text("good", "check = 'identity.runs_as_root'");
        let folder = folder_of(&[("secrets/bad.md", &text), ("config/good.md", &good)]);
        let (set, problems) = RuleSet::readable(folder.path());
        let [problem] = &problems[..] else { panic!("{}", lines(&problems)) };
        assert!(problem.file.ends_with("bad.md") && problem.what.contains(says), "{problem}");
        assert_eq!((problem.line, set.rules().len()), (line, 1), "{problem}");
    }
}

#[test]
fn every_image_of_testdata_can_be_built() {
    for file in std::fs::read_dir(testdata("images")).expect("testdata/images") {
        let path = file.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        let image = ExampleImage::read(&text, &generate);
        let image = image.unwrap_or_else(|(line, what)| panic!("{}:{}: {what}", path.display(), line + 1));
        let layers = image.layer_tars().expect("tars");
        assert_eq!(layers.len(), image.layers.len());
        assert!(serde_json::from_slice::<serde_json::Value>(&image.config_json(&layers)).is_ok());
    }
}

const HEAD: &str = "name = 'x'\nseverity = 'low'\nsince = '0.1.0'\nreferences = ['r']\n";

#[test]
fn errors_of_a_head_name_their_line() {
    for (head, line, part) in [
        ("severity = 'low'\n", 2, "name"),
        ("name = 'x'\nsevrity = 'low'\n", 3, "sevrity"),
        ("name = 'x'\nseverity = 'bad'\nsince = '0.1.0'\n", 3, "bad"),
        ("name = 'y'\nseverity = 'low'\nsince = '0.1.0'\ncheck = 'identity.runs_as_root'\n", 2, "'x.md'"),
        (&format!("{HEAD}check = 'identity.nothing'\n"), 6, "no such check"),
        (HEAD, 2, "neither"),
        (&format!("{HEAD}check = 'identity.runs_as_root'\n[match.port]\nport = [1]\nmessage = ''\n"), 2, "both"),
        (&format!("{HEAD}[match.file]\npath = '/a'\nmode = '1'\nmessage = ''\n"), 8, "mode"),
        (&format!("{HEAD}[match.file]\npath = '/a[b'\nmessage = ''\n"), 7, "glob '/a[b'"),
        (&format!("{HEAD}[match.file]\nmode_any = '8'\nmessage = ''\n"), 7, "octal"),
        (&format!("{HEAD}[match.file]\nunder = 'etc'\nmessage = ''\n"), 7, "does not begin with /"),
        (&format!("{HEAD}[match.file]\nkind = 'pipe'\nmessage = ''\n"), 7, "pipe"),
        (&format!("{HEAD}[match.file]\nmessage = ''\n"), 6, "[match.file]: give path"),
        (&format!("{HEAD}[match.file]\npath = '/a'\nmessage = '{{count}}'\n"), 6, "{count}"),
        (&format!("{HEAD}[match.env]\nname = '('\nmessage = ''\n"), 7, "unclosed group"),
        (&format!("{HEAD}[match.env]\nname = 'a'\nmessage = '{{value}}'\n"), 6, "only {name}"),
        (&format!("{HEAD}[match.config]\nkey = '/os'\nmessage = ''\n"), 6, "one condition"),
        (&format!("{HEAD}[match.config]\nkey = 'os'\nmissing = true\nmessage = ''\n"), 6, "JSON pointer"),
        (&format!("{HEAD}[match.port]\nport = ['a']\nmessage = ''\n"), 7, "neither a port"),
        (&format!("{HEAD}[match.history]\ninstruction = 'run'\nmessage = ''\n"), 6, "'run'"),
        (&format!("{HEAD}[match.secret]\na = 1\n[match.env]\nname = 'a'\nmessage = ''\n"), 6, "stands alone"),
    ] {
        let problem = Rule::read("rules/config/x.md", Group::Config, &format!("```toml\n{head}```\n# T\n"));
        let problem = problem.map(|_| ()).expect_err(head);
        assert!(problem.line == line && problem.what.contains(part), "{head}\n{problem}");
    }
}

#[test]
fn what_a_rule_lacks_is_told() {
    let text = "```toml\nname = 'x'\nseverity = 'low'\nsince = '1'\ncheck = 'identity.runs_as_root'\n```\n# T.\n";
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("config")).expect("a folder");
    std::fs::write(folder.path().join("config/x.md"), text).expect("a file");
    let problems = RuleSet::read_dir(folder.path()).expect("readable").problems();
    let whats = lines(&problems);
    for part in ["references", "since", "full stop", "paragraph", "How to fix", "toml finds", "toml clean"] {
        assert!(whats.contains(part), "{part} in:\n{whats}");
    }
}

#[test]
fn an_example_that_misbehaves_is_told() {
    let page = "# T\n\nS\n\n## How to fix\n\nF\n\n## Examples\n\n```toml finds\nconfig.user = '1'\n```\n\n\
                ```toml clean\nconfig.user = '0'\n```\n\n```toml finds\nsays = 'nobody'\nconfig.user = '0'\n```\n\n\
                ```toml finds\nconfig.user = '0'\nconfig.nothing = '0'\n```\n";
    let head = format!("```toml\n{HEAD}check = 'identity.runs_as_root'\n```\n");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("config")).expect("a folder");
    std::fs::write(folder.path().join("config/x.md"), format!("{head}{page}")).expect("a file");
    let rules = RuleSet::read_dir(folder.path()).expect("readable");
    let problems = check_examples(&rules, &generate, &look);
    let seen: Vec<(u32, &str)> = problems.iter().map(|problem| (problem.line, problem.what.as_str())).collect();
    assert_eq!(seen.len(), 4, "{seen:?}");
    assert_eq!(seen[0], (19, "the rule finds nothing in this example"));
    assert!(seen[1].0 == 23 && seen[1].1.contains("process 1 runs as root"), "{seen:?}");
    assert!(seen[2].0 == 27 && seen[2].1.contains("no message has 'nobody'"), "{seen:?}");
    assert!(seen[3].0 == 33 && seen[3].1.contains("nothing"), "{seen:?}");
}

#[test]
fn rules_are_found_by_name_and_alias() {
    let rules = builtin();
    assert_eq!(rules.find("runs-as-root").len(), 1);
    assert!(rules.find("cis-di-0001").iter().any(|rule| rule.info.name == "runs-as-root"));
    assert!(rules.find("Runs-As-Root").is_empty(), "names keep their case");
    assert!(rules.find("nothing").is_empty());
    assert!(rules.digest().starts_with("sha256:") && rules.digest() == builtin().digest());
    assert_eq!(rules.infos().len(), rules.rules().len());
}

#[test]
fn the_page_begins_with_how_the_rule_is_graded() {
    let rules = builtin();
    let page = explain(&rules.find("runs-as-root")[0].info);
    let mut lines = page.lines();
    assert_eq!(lines.next(), Some("# Image runs as root"));
    assert!(page.contains("`runs-as-root` · identity · severity high"), "{page}");
    assert!(page.contains("CIS-DI-0001") && page.contains("## How to fix") && page.contains("config.user = \"\""));
    assert!(!page.contains("check = "), "the head is not for readers");
    assert_eq!(page.matches("# Image runs as root").count(), 1);
}

#[test]
fn parameters_have_a_default_and_a_type() {
    let text =
        format!("```toml\n{HEAD}check = 'identity.runs_as_root'\n[params]\nminimum = 10000\nnames = ['a']\n```\n# T\n");
    let mut rule = Rule::read("config/x.md", Group::Config, &text).expect("well formed");
    let values = |text: &str| toml::from_str::<toml::Table>(text).expect("TOML");
    rule.set_params(&values("minimum = 1")).expect("an integer");
    assert_eq!(rule.params["minimum"].as_integer(), Some(1));
    assert!(rule.set_params(&values("minimum = '1'")).expect_err("type").contains("must be integer"));
    assert!(rule.set_params(&values("maximum = 1")).expect_err("name").contains("minimum, names"));
    let overrides = Overrides::from([("nothing".to_owned(), values("a = 1"))]);
    assert_eq!(builtin().with_params(&overrides).expect_err("name"), "rule 'nothing': no such rule");
}

#[test]
fn findings_are_sorted_unlike_and_bounded() {
    fn many(_: &Facts, _: &toml::Table, sink: &mut Sink) {
        for number in [5, 3, 3, 9, 1] {
            sink.find(Location::config(format!("/config/Env/{number}")), "x", "m");
        }
        let found: &mut Found = sink.find(Location::Image, "y", "worse");
        found.severity = Some(Severity::Critical);
        sink.gap(Location::Image, "could not tell");
    }
    let mut rule = builtin().find("runs-as-root")[0].clone();
    rule.logic = Logic::Check(many);
    let (findings, gaps) = rule.run(&Facts::default(), 3);
    let messages: Vec<_> = findings.iter().map(|finding| (&finding.at, finding.message.as_str())).collect();
    let first = Location::config("/config/Env/1");
    let second = Location::config("/config/Env/3");
    assert_eq!(messages, [(&Location::Image, "worse"), (&first, "m"), (&second, "m")]);
    let reasons: Vec<&str> = gaps.iter().map(|gap| gap.reason.as_str()).collect();
    assert_eq!(reasons, ["could not tell", "rule runs-as-root: 2 more findings, cut at the limit of 3 a rule"]);
}

#[test]
fn a_rule_that_finds_millions_is_cut_while_it_speaks() {
    fn floods(_: &Facts, _: &toml::Table, sink: &mut Sink) {
        for number in 0..1000 {
            let found = sink.find(Location::config(format!("/{number:04}")), "x", "m");
            found.also = vec![Location::Image, Location::config("/a"), Location::config("/b"), Location::Image];
            sink.gap(Location::config(format!("/{number:04}")), "could not tell");
        }
        assert!(sink.found.len() < 1000 && sink.gaps.len() < 1000);
    }
    let mut rule = builtin().find("runs-as-root")[0].clone();
    rule.logic = Logic::Check(floods);
    let (findings, gaps) = rule.run(&Facts::default(), 2);
    let places: Vec<_> = findings.iter().map(|finding| (finding.at.clone(), finding.also.len())).collect();
    assert_eq!(places, [(Location::config("/0000"), 2), (Location::config("/0001"), 2)]);
    let reasons: Vec<&str> = gaps.iter().map(|gap| gap.reason.as_str()).collect();
    assert!(reasons.contains(&"rule runs-as-root: 998 more findings, cut at the limit of 2 a rule"), "{reasons:?}");
    assert!(reasons.contains(&"rule runs-as-root: 998 more gaps, cut at the limit of 2 a rule"), "{reasons:?}");
}

#[test]
fn one_thread_and_eight_say_the_same() {
    let text = std::fs::read_to_string(testdata("images/careless.toml")).expect("text");
    let facts = look(&ExampleImage::read(&text, &generate).expect("well formed")).expect("facts");
    let rules = builtin();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| rules.run(&facts, &|_| true, &Limits::default()))
    };
    let (findings, gaps) = run(1);
    assert!(!findings.is_empty());
    assert_eq!((findings, gaps), run(8));
    let (none, _) = rules.run(&facts, &|info| info.name == "nothing", &Limits::default());
    assert!(none.is_empty());
}

/// Texts that no file may hold, made up here.
fn generate(name: &str) -> Option<String> {
    secrets::generate(&PATTERNS, name, 1)
}

/// The secret types of the built-in rules.
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| builtin().patterns().expect("built-in patterns"));

fn look(image: &ExampleImage) -> Result<Facts, String> {
    scan::look_at_example(image, &PATTERNS)
}
