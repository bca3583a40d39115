//! The step of a job, in the control groups that Slurm makes.

use crate::cgroup::Cgroups;

/// A step of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The job.
    pub job: Job<'a>,
    /// A number, or `batch`, `extern`, `interactive`.
    pub name: &'a str,
}

/// A job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job<'a> {
    /// By its number.
    Number(&'a str),
    /// By Slurm's unique id: `s` and letters and digits.
    Sluid(&'a str),
}

impl Job<'_> {
    /// The value of its selector.
    pub fn selector(self) -> String {
        match self {
            Self::Number(id) => format!("job_id:{id}"),
            Self::Sluid(id) => format!("sluid:{id}"),
        }
    }
}

/// The control groups belong to several steps, which no process of Slurm does.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("multiple Slurm jobs found in cgroups ({0}, {1})")]
pub struct TwoSteps(String, String);

/// The step that a process with these control groups belongs to; none if it is not of Slurm.
pub fn step(cgroups: &Cgroups) -> Result<Option<Step<'_>>, TwoSteps> {
    let mut found: Option<Step<'_>> = None;
    for step in cgroups.paths().filter_map(step_of) {
        match &found {
            Some(first) if *first != step => {
                let print = |step: &Step<'_>| format!("{}/step_{}", step.job.selector(), step.name);
                return Err(TwoSteps(print(first), print(&step)));
            }
            _ => found = Some(step),
        }
    }
    Ok(found)
}

fn step_of(path: &str) -> Option<Step<'_>> {
    let mut segments = path.strip_prefix("/system.slice/")?.split('/');
    segments.next().filter(|scope| scope.ends_with("slurmstepd.scope"))?;
    let job = segments.next().and_then(job)?;
    let name = segments.next()?.strip_prefix("step_").filter(|name| !name.is_empty())?;
    Some(Step { job, name })
}

fn job(segment: &str) -> Option<Job<'_>> {
    let all = |text: &str, kind: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| kind(&byte));
    match segment.strip_prefix("job_") {
        Some(number) => all(number, u8::is_ascii_digit).then_some(Job::Number(number)),
        None => segment
            .strip_prefix('s')
            .is_some_and(|rest| all(rest, u8::is_ascii_alphanumeric))
            .then_some(Job::Sluid(segment)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Result<Vec<String>, TwoSteps> {
        let cgroups = Cgroups::parse(text.as_bytes()).unwrap();
        let step = step(&cgroups)?;
        Ok(step.map(|step| vec![step.job.selector(), format!("step:{}", step.name)]).unwrap_or_default())
    }

    #[test]
    fn jobs_and_steps_are_read_as_slurm_names_them() {
        let cases: [(&str, &[&str]); 11] = [
            ("0::/system.slice/slurmstepd.scope/job_3385/step_batch/slurm\n", &["job_id:3385", "step:batch"]),
            (
                "0::/system.slice/slurmstepd.scope/job_42/step_extern/user/task_0\n",
                &["job_id:42", "step:extern"],
            ),
            (
                "0::/system.slice/slurmstepd.scope/s5K1KKYAYG5D00/step_0/user/task_0\n",
                &["sluid:s5K1KKYAYG5D00", "step:0"],
            ),
            ("0::/system.slice/node1_slurmstepd.scope/job_100/step_1\n", &["job_id:100", "step:1"]),
            ("3:cpu:/x\n0::/system.slice/slurmstepd.scope/job_1/step_0/user\n", &["job_id:1", "step:0"]),
            ("0::/system.slice/slurmstepd.scope/job_1\n", &[]),
            ("0::/system.slice/slurmstepd.scope/job_x/step_0\n", &[]),
            ("0::/system.slice/slurmstepd.scope/job_1/step_\n", &[]),
            ("0::/user.slice/user-1.slice/user@1.service/slurmstepd.scope/job_9/step_0\n", &[]),
            ("0::/user.slice/system.slice/slurmstepd.scope/job_9/step_0\n", &[]),
            ("0::/system.slice/docker-0123.scope\n", &[]),
        ];
        for (text, wanted) in cases {
            assert_eq!(found(text).unwrap(), wanted, "{text}");
        }
    }

    #[test]
    fn two_jobs_at_once_are_refused() {
        let one = "1:cpu:/system.slice/slurmstepd.scope/job_1/step_0\n";
        assert!(found(&format!("{one}0::/system.slice/slurmstepd.scope/job_1/step_0/user\n")).is_ok());
        let two = found(&format!("{one}0::/system.slice/slurmstepd.scope/job_2/step_0\n")).unwrap_err();
        assert_eq!(
            two.to_string(),
            "multiple Slurm jobs found in cgroups (job_id:1/step_0, job_id:2/step_0)"
        );
    }
}
