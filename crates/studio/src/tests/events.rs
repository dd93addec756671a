//! What listeners are told.

use tarim_render::fake::Script;

use super::*;
use crate::{Event, JobEnd, JobStage, Topic};

#[test]
fn a_listener_follows_a_job_to_its_end() {
    let bench = Bench::new(Script { step_ms: 3, ..Script::default() });
    let studio = bench.open();
    let listener = studio.subscribe();
    let submitted = studio.submit(&pictures("a", 1, 40)).unwrap();
    let id = submitted.jobs[0];
    let (mut stages, mut steps, mut previews, mut topics) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let end = loop {
        match listener.next(Duration::from_secs(10)).expect("the job ends") {
            Event::Progress(progress) => {
                assert_eq!(
                    (&progress.job, &progress.request),
                    (&id.to_string(), &submitted.request.to_string())
                );
                stages.push(progress.stage);
                steps.push(progress.step);
                if progress.preview > 0 && previews.last() != Some(&progress.preview) {
                    previews.push(progress.preview);
                    if let Some(preview) = studio.preview(id) {
                        assert!(preview.number >= progress.preview);
                        assert!(preview.png.starts_with(b"\x89PNG"));
                    }
                }
            }
            Event::Changed(changed) => topics.extend(changed),
            Event::JobEnded { job, end, .. } => {
                assert_eq!(job, id.to_string());
                break end;
            }
            Event::Task(_) | Event::Notice(_) => {}
        }
    };
    assert!(matches!(end, JobEnd::Done { seconds } if seconds > 0.1), "{end:?}");
    assert!(stages.contains(&JobStage::Sampling), "{stages:?}");
    assert!(steps.is_sorted(), "{steps:?}");
    assert!(steps.len() < 30, "throttled: {steps:?}");
    assert!(previews.len() > 1, "{previews:?}");
    assert!(topics.contains(&Topic::Queue) && topics.contains(&Topic::History));
    until(
        "the gallery is told",
        || matches!(listener.next(Duration::from_secs(1)), Some(Event::Changed(topics)) if topics.contains(&Topic::Pictures)),
    );
    studio.close(crate::How::StopNow);
    while listener.next(Duration::from_millis(1)).is_some() {}
    assert!(listener.closed());
}

#[test]
fn a_listener_that_sleeps_finds_a_short_list() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let listener = studio.subscribe();
    let submitted = studio.submit(&pictures("a", 20, 20)).unwrap();
    until_done(&studio, &submitted);
    until("nothing is in work", || !studio.core().live.busy());
    let mut events = Vec::new();
    while let Some(event) = listener.next(Duration::from_millis(100)) {
        events.push(event);
    }
    let ended = events.iter().filter(|event| matches!(event, Event::JobEnded { .. })).count();
    assert_eq!(ended, 20);
    assert!(events.len() < 60, "{}", events.len());
}

#[test]
fn without_listeners_nobody_draws_previews() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    let submitted = studio.submit(&pictures("a", 1, 1)).unwrap();
    until_done(&studio, &submitted);
    assert_eq!(bench.renderers()[0].jobs()[0].preview_every, 0);
}

#[test]
fn what_is_cancelled_while_it_waits_is_told() {
    let bench = Bench::new(Script::default());
    let studio = bench.open();
    studio.pause(true, false).unwrap();
    let submitted = studio.submit(&pictures("a", 120, 2)).unwrap();
    let listener = studio.subscribe();
    assert_eq!(studio.cancel(&crate::Which::Jobs(submitted.jobs[..1].to_vec())).unwrap(), 1);
    assert_eq!(studio.cancel(&crate::Which::All).unwrap(), 119);
    let mut told = Vec::new();
    while let Some(event) = listener.next(Duration::from_millis(300)) {
        if let Event::JobEnded { job, request, end } = event {
            assert_eq!((request, end), (submitted.request.to_string(), JobEnd::Cancelled));
            told.push(job);
        }
    }
    assert_eq!(told[0], submitted.jobs[0].to_string());
    // Of many, some: whoever hears of them asks for the queue.
    assert_eq!(told.len(), 101);
    studio.close(crate::How::StopNow);
}
