use super::super::{Example, Flag};
use super::*;

const FLAGS: &[Flag] = &[
    Flag::choice("output", &["pretty", "json"], "The form of the output"),
    Flag::text("id", "An ID, as in a\\b. It must exist"),
    Flag::switch("force", "Do it"),
];
static COMMANDS: &[Command] = &[
    Command::new("thing show", "Shows things", &[FLAGS]).with(&[Example::new("Show one", "-id x-1")]),
    Command::new("run", "Runs", &[]),
];

#[test]
fn a_page_has_every_command_flag_and_example() {
    let program = Program { name: "tool box", version: String::new(), commands: COMMANDS.iter().collect() };
    let manual = Manual {
        program: &program,
        about: "a box of tools",
        description: &["One. Two", ".Three"],
        environment: &[("BOX", "where it is")],
        files: &[],
        see_also: &["tool", "man"],
        date: "November 25, 2026",
    };
    assert_eq!(manual.name(), "tool-box");
    let page = manual.page();
    for part in [
        ".Dt TOOL-BOX 1\n",
        ".Nm tool box\n.Ar command\n",
        "One.\nTwo.\n.Pp\n\\&.Three.\n",
        ".Ss run\nRuns.\n.Ss thing show\nShows things.\n.Bl -tag -width Ds\n.It Fl force\nDo it.\n.It Fl id Ar text\n",
        "An ID, as in a\\eb.\nIt must exist.\n.It Fl output Ar pretty|json\n",
        "The default is pretty.\n.El\n.Pp\nShow one:\n.Bd -literal -offset indent\ntool box thing show \\-id x\\-1\n.Ed\n",
        ".Sh ENVIRONMENT\n.Bl -tag -width Ds\n.It Ev BOX\nwhere it is.\n.El\n",
        ".Xr tool 1 ,\n.Xr man 1\n",
    ] {
        assert!(page.contains(part), "{part}\nis not in\n{page}");
    }
}
