//! Every command, asked at least once as it should be and once as it should not.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;

use common::{Home, SETS, png};
use serde_json::{Value, json};
use tarim_api::{Caller, ErrorCode, commands, dispatch_bytes};

/// Asks, checks the answer, and takes note of the command.
struct Table<'a> {
    home: &'a Home,
    asked: BTreeSet<String>,
}

impl Table<'_> {
    /// A good request and a bad one.
    #[track_caller]
    fn row(&mut self, command: &str, good: &Value, bad: &Value, code: ErrorCode) -> Value {
        self.home.refused(command, bad, code);
        let answer = self.home.get(command, good);
        self.asked.insert(command.to_owned());
        answer
    }

    /// A command that takes nothing; what is no request at all is refused.
    #[track_caller]
    fn plain(&mut self, command: &str) -> Value {
        self.row(command, &json!({}), &json!(7), ErrorCode::BadInput)
    }
}

const NOBODY: &str = "0190163d-8694-739b-aea5-966c26f8ad90";

#[test]
fn every_command_good_and_bad() {
    let home = Home::new();
    let mut table = Table { home: &home, asked: BTreeSet::new() };
    let bad_input = ErrorCode::BadInput;
    let missing = ErrorCode::NotFound;
    let nobody = json!({"id": NOBODY});

    let hello = table.plain("hello");
    assert_eq!((&hello["first_run"], &hello["library"]["pictures"]), (&json!(true), &json!(0)), "{hello}");
    assert_eq!(hello["problems"], json!([]));

    // Settings.
    assert_eq!(table.plain("get_settings")["device"], "auto");
    let changed = table.row(
        "change_settings",
        &json!({"theme": "grey", "language": "zh-Hant", "precision": "fp32", "welcomed": true, "name_template": ""}),
        &json!({"device": "abacus"}),
        bad_input,
    );
    assert_eq!((&changed["theme"], &changed["precision"]), (&json!("grey"), &json!("fp32")));
    home.refused("change_settings", &json!({"precision": "fp8"}), bad_input);
    home.refused("change_settings", &json!({"library_folder": "not/whole"}), bad_input);
    home.refused("change_settings", &json!({"default_model": "nobody"}), missing);
    home.refused("change_settings", &json!({"release_after_minutes": -1}), bad_input);
    let names = table.row(
        "preview_names",
        &json!({"template": "[date]/[sead]-[prompt_words]"}),
        &json!({"template": "x".repeat(501)}),
        bad_input,
    );
    assert_eq!(names["problems"].as_array().unwrap().len(), 1, "{names}");
    assert!(
        names["example"].as_str().unwrap().ends_with("-a-red-fox-in-the-snow-golden-hour.png"),
        "{names}"
    );
    assert_eq!(table.plain("list_devices")["devices"][0]["id"], "cpu");
    let report =
        table.row("test_device", &json!({"device": "cpu"}), &json!({"device": "mps"}), ErrorCode::Device);
    assert!(report["seconds_sd15"].as_f64().unwrap() > report["seconds_starter"].as_f64().unwrap());

    // Models.
    home.wait_until("models were looked for", || {
        !home.get("list_models", &json!({}))["scanning"].as_bool().unwrap()
    });
    let models = table.plain("list_models");
    let model = &models["models"][0];
    assert_eq!(
        (&model["name"], &model["is_default"], &model["usable"]),
        (&json!("starter"), &json!(true), &json!(true))
    );
    assert_eq!((&model["defaults"]["width"], &model["family"]), (&json!(256), &json!("sd1")));
    table.plain("rescan_models");
    let folder = home.folder.path().join("models");
    std::fs::create_dir(&folder).unwrap();
    let known = json!({"path": folder});
    let added = table.row("add_model_folder", &known, &json!({"path": "/nowhere/at/all"}), missing);
    assert!(added["folders"].as_array().is_some());
    home.refused("add_model_folder", &json!({"path": ""}), bad_input);
    home.refused("add_model_folder", &json!({"path": "models"}), bad_input);
    home.wait_until("the folder is listed", || {
        home.get("list_models", &json!({}))["folders"].as_array().unwrap().len() == 2
    });
    home.refused("add_model_folder", &known, ErrorCode::Conflict);
    table.row("remove_model_folder", &known, &json!({"path": "/nowhere"}), missing);
    table.row("hash_model", &json!({"id": model["id"]}), &json!({"id": "../starter"}), missing);

    // Prompts, styles, presets.
    assert!(table.plain("get_choices")["samplers"].as_array().unwrap().len() > 10);
    let described = table.row(
        "describe_prompt",
        &json!({"text": "🦊 狐狸 (fox", "steps": 20}),
        &json!({"text": "x", "steps": 20, "model": "nobody"}),
        missing,
    );
    assert_eq!(described["remarks"][0]["from"], 6, "{described}");
    let read = table.row(
        "read_infotext",
        &json!({"text": "fox\nSteps: 3, Sampler: Euler, Seed: 9, Size: 64x64"}),
        &json!({"text": " "}),
        bad_input,
    );
    assert_eq!((&read["source"], &read["draft"]["seed"]), (&json!("infotext"), &json!("9")));
    assert_eq!(table.plain("list_styles")["styles"], json!([]));
    let ink = json!({"style": {"name": "ink", "prompt": "{prompt}, in ink", "negative_prompt": "colour"}});
    let unnamed = json!({"style": {"name": "", "prompt": "", "negative_prompt": ""}});
    assert_eq!(table.row("save_style", &ink, &unnamed, bad_input)["styles"][0]["name"], "ink");
    let apply = |style: &str| json!({"prompt": "fox", "negative_prompt": "", "styles": [style]});
    let applied = table.row("apply_styles", &apply("ink"), &apply("oil"), missing);
    assert_eq!(applied, json!({"prompt": "fox, in ink", "negative_prompt": "colour"}));
    table.row("delete_style", &json!({"name": "ink"}), &json!({"name": "oil"}), missing);
    assert!(table.plain("list_presets")["presets"].as_array().unwrap().len() > 8);
    let preset = |name: &str| json!({"name": name, "draft": {"steps": 8}});
    table.row("save_preset", &preset("quick"), &preset("avatar"), ErrorCode::Conflict);
    table.row("delete_preset", &json!({"name": "quick"}), &json!({"name": "quick or not"}), missing);

    // Submission and the queue.
    table.row("pause_queue", &json!({"paused": true}), &json!({"paused": "yes"}), bad_input);
    let submit = |count: u32| json!({"draft": {"prompt": "a fox", "steps": 2, "width": 64, "height": 64}, "count": count});
    let submitted = table.row("submit", &submit(3), &submit(0), bad_input);
    home.refused("submit", &json!({"draft": {"colour": "blue"}, "count": 1}), bad_input);
    home.refused("submit", &json!({"draft": {"width": 7}, "count": 1}), bad_input);
    home.refused("submit", &json!({"draft": {}, "count": 1, "model": "nobody"}), missing);
    home.refused("submit", &json!({"draft": {"init_picture": "a".repeat(64)}, "count": 1}), missing);
    table.row("estimate", &json!({"submit": submit(1)}), &json!({"submit": submit(0)}), bad_input);
    let jobs = submitted["jobs"].as_array().unwrap();
    let queue = table.plain("get_queue");
    assert_eq!((&queue["waiting_total"], &queue["paused"]), (&json!(3), &json!(true)), "{queue}");
    let moved = table.row(
        "move_jobs",
        &json!({"ids": [jobs[2]], "before": jobs[0]}),
        &json!({"ids": ["x"]}),
        bad_input,
    );
    assert_eq!(moved["waiting"][0]["id"], jobs[2]);
    let prioritised = table.row(
        "prioritise_jobs",
        &json!({"ids": [jobs[1]], "priority": 5}),
        &json!({"ids": [], "priority": i32::MIN}),
        bad_input,
    );
    assert_eq!(prioritised["waiting"][0]["id"], jobs[1]);
    let one = json!({"which": {"jobs": [jobs[0]]}});
    let all = json!({"which": "all"});
    let wrong = json!({"which": {"request": "../x"}});
    assert_eq!(table.row("cancel_jobs", &one, &wrong, bad_input)["changed"], 1);
    table.row("retry_jobs", &all, &wrong, bad_input);
    table.row("clear_failed", &all, &wrong, bad_input);
    home.get("pause_queue", &json!({"paused": false}));
    home.make("a dog", 1);

    // The gallery.
    let layout = table.row(
        "layout_pictures",
        &json!({"query": "fox"}),
        &json!({"query": "x".repeat(10_001)}),
        bad_input,
    );
    assert_eq!(layout["keys"].as_array().unwrap().len(), 2, "{layout}");
    assert_eq!((&layout["aspects"][0], layout["days"][0]["count"].as_u64()), (&json!(1000), Some(2)));
    let odd = home.get("layout_pictures", &json!({"query": "🦊 ratng:5", "sort": "rating"}));
    assert_eq!(odd["remarks"][0]["from"], 3, "{odd}");
    let pictures = table.row(
        "get_pictures",
        &json!({"keys": layout["keys"]}),
        &json!({"keys": vec![1; 1001]}),
        bad_input,
    );
    let picture = pictures["pictures"][0].clone();
    assert_eq!(picture["prompt"], "a fox");
    assert_eq!(home.get("get_pictures", &json!({"keys": [1, -5]}))["pictures"], json!([]));
    let id = json!({"id": picture["id"]});
    let ids = json!({"ids": [picture["id"], NOBODY]});
    let no_ids = json!({"ids": ["../../etc/passwd"]});
    assert_eq!(table.row("find_pictures", &ids, &no_ids, bad_input)["pictures"].as_array().unwrap().len(), 1);
    let detail = table.row("get_picture", &id, &nobody, missing);
    assert_eq!((&detail["draft"]["steps"], &detail["request"]), (&json!(2), &submitted["request"]));
    assert!(detail["infotext"].as_str().unwrap().starts_with("a fox\nSteps: 2"), "{detail}");
    let update =
        json!({"ids": [picture["id"]], "rating": 4, "flag": "pick", "add_tags": ["雪"], "project": "Loulan"});
    assert_eq!(
        table.row("update_pictures", &update, &json!({"ids": [], "rating": 6}), bad_input)["changed"],
        1
    );
    let again = home.get("find_pictures", &ids);
    assert_eq!((&again["pictures"][0]["rating"], &again["pictures"][0]["tags"]), (&json!(4), &json!(["雪"])));
    let facets = table.plain("get_facets");
    assert_eq!(
        (&facets["tags"][0]["name"], &facets["models"][0]["count"]),
        (&json!("雪"), &json!(3)),
        "{facets}"
    );
    assert_eq!(
        table.row("create_collection", &json!({"name": " Winter "}), &json!({"name": ""}), bad_input)["id"],
        "Winter"
    );
    let members = json!({"id": "Winter", "pictures": [picture["id"]]});
    let no_members = json!({"id": "Winter", "pictures": ["x"]});
    assert_eq!(table.row("add_to_collection", &members, &no_members, bad_input)["changed"], 1);
    assert_eq!(table.plain("list_collections")["collections"][0]["cover"], picture["id"]);
    let within = json!({"collection": "Winter", "sort": "collection"});
    assert_eq!(home.get("layout_pictures", &within)["keys"], json!([picture["key"]]));
    table.row("remove_from_collection", &members, &no_members, bad_input);
    table.row(
        "rename_collection",
        &json!({"id": "Winter", "name": "冬"}),
        &json!({"id": "Summer", "name": "夏"}),
        missing,
    );
    table.row("delete_collection", &json!({"id": "冬"}), &json!({"id": "冬天"}), missing);

    // Inputs and families.
    let input = table.row("input_from_picture", &id, &nobody, missing);
    let found =
        table.row("read_input", &json!({"sha256": input["sha256"]}), &json!({"sha256": "../x"}), missing);
    assert_eq!((&found["source"], &found["draft"]["prompt"]), (&json!("tarim"), &json!("a fox")));
    let extended =
        json!({"sha256": input["sha256"], "left": 8, "top": 0, "right": 8, "bottom": 0, "overlap": 4});
    let unchanged =
        json!({"sha256": input["sha256"], "left": 0, "top": 0, "right": 0, "bottom": 0, "overlap": 4});
    let outpaint = table.row("prepare_outpaint", &extended, &unchanged, bad_input);
    assert_eq!((&outpaint["init"]["width"], &outpaint["mask"]["height"]), (&json!(80), &json!(64)));
    let child = json!({
        "draft": {"prompt": "wider", "steps": 2, "init_picture": outpaint["init"]["sha256"], "mask_picture": outpaint["mask"]["sha256"]},
        "count": 1, "parent": {"picture": picture["id"], "derivation": "outpaint"}, "tags": ["wide"],
    });
    let child = home.get("submit", &child);
    home.wait_until("it is drawn", || home.ask("get_picture", &json!({"id": child["jobs"][0]})).is_ok());
    let family = table.row("get_lineage", &json!({"id": child["jobs"][0]}), &nobody, missing);
    assert_eq!(
        (&family["members"][1]["parent"], &family["members"][1]["derivation"]),
        (&json!(0), &json!("outpaint")),
        "{family}"
    );

    // Crops and enlargements.
    let crop = json!({"ids": [picture["id"]], "x": 8, "y": 4, "width": 32, "height": 24});
    let nothing = json!({"ids": [], "x": 0, "y": 0, "width": 32, "height": 24});
    let cropped = table.row("crop_pictures", &crop, &nothing, bad_input);
    assert_eq!(cropped["failed"], json!([]), "{cropped}");
    let larger = json!({"ids": [cropped["pictures"][0], NOBODY], "factor": 1.5});
    let larger = table.row("upscale_pictures", &larger, &json!({"ids": [], "factor": 2}), bad_input);
    assert_eq!(
        (&larger["failed"][0]["id"], &larger["failed"][0]["error"]["code"]),
        (&json!(NOBODY), &json!("not_found"))
    );
    let larger = home.get("get_picture", &json!({"id": larger["pictures"][0]}));
    assert_eq!(
        (&larger["summary"]["width"], &larger["derivation"]),
        (&json!(48), &json!("upscale")),
        "{larger}"
    );
    assert_eq!((&larger["parent"], &larger["draft"]["width"]), (&cropped["pictures"][0], &json!(64)));
    let redraw = json!({"picture": picture["id"], "factor": 1.7, "strength": 0.3});
    let redraw =
        table.row("prepare_redraw", &redraw, &json!({"picture": picture["id"], "factor": 9}), bad_input);
    assert_eq!(
        (&redraw["draft"]["width"], &redraw["parent"]["derivation"]),
        (&json!(112), &json!("upscale"))
    );

    // The trash.
    assert_eq!(table.row("trash_pictures", &ids, &no_ids, bad_input)["changed"], 1);
    assert_eq!(home.get("layout_pictures", &json!({"trashed": true}))["keys"], json!([picture["key"]]));
    assert_eq!(table.row("restore_pictures", &ids, &no_ids, bad_input)["changed"], 1);
    home.get("trash_pictures", &ids);
    assert_eq!(table.row("empty_trash", &json!({"ids": []}), &no_ids, bad_input)["changed"], 1);
    home.refused("get_picture", &id, missing);

    // The history.
    let page = table.row(
        "page_history",
        &json!({"query": "fox", "limit": 10}),
        &json!({"limit": 10, "after": "x"}),
        bad_input,
    );
    let entry = &page["entries"][0];
    assert_eq!(
        (&entry["outcome"]["done"], &entry["outcome"]["cancelled"], &entry["origin"]),
        (&json!(2), &json!(1), &json!("window")),
        "{page}"
    );
    assert_eq!((&entry["draft"]["prompt"], page.get("next")), (&json!("a fox"), None));
    let first = home.get("page_history", &json!({"limit": 1}));
    let second = home.get("page_history", &json!({"limit": 1, "after": first["next"]}));
    assert_ne!(first["entries"][0]["id"], second["entries"][0]["id"]);
    assert_eq!(table.row("get_request", &json!({"id": submitted["request"]}), &nobody, missing)["count"], 3);

    // The farm.
    assert_eq!(table.plain("get_farm")["on"], json!(false));
    assert_eq!(table.plain("list_workers")["workers"], json!([]));
    home.refused("farm_status", &json!({}), bad_input);
    table.asked.insert("farm_status".to_owned());
    let farm = json!({"on": false, "url": "nats://127.0.0.1:4222", "namespace": "", "connection_file": "", "window": 4,
        "share_models": false});
    let mut wrong = farm.clone();
    wrong["window"] = json!("many");
    assert_eq!(table.row("change_farm", &farm, &wrong, bad_input), farm);

    // Long work.
    assert!(table.plain("reconcile_library")["task"].as_str().is_some());
    assert!(table.plain("rebuild_library")["task"].as_str().is_some());

    let all: BTreeSet<String> =
        commands().iter().filter(|name| !SETS.contains(name)).map(|&name| name.to_owned()).collect();
    assert_eq!(table.asked, all, "every command has its row");
}

#[test]
fn what_is_no_command_or_no_request() {
    let home = Home::new();
    for name in ["", "nothing", "hello ", "HELLO", "../hello", &"x".repeat(100_000)] {
        let error = home.refused(name, &json!({}), ErrorCode::UnknownCommand);
        assert!(error.message.len() < 200);
    }
    let ask =
        |request: &[u8]| dispatch_bytes(&home.studio, &home.caller, "get_picture", request).unwrap_err().code;
    let deep = "[".repeat(100_000);
    for request in [&b"{"[..], b"\xff\xfe", b"null", b"[]", b"{\"id\":7}", b"{\"id\":null}", deep.as_bytes()]
    {
        assert_eq!(ask(request), ErrorCode::BadInput);
    }
    // No request is an empty one.
    for request in [&b" \n"[..], b"null", b""] {
        assert!(dispatch_bytes(&home.studio, &home.caller, "get_settings", request).is_ok());
    }
}

#[test]
fn other_doors_may_do_less() {
    let mut home = Home::new();
    home.caller = Caller::elsewhere();
    assert_eq!(home.get("hello", &json!({}))["allowed"], json!({"choose_folders": false, "reveal": false}));
    for (command, request) in [
        ("add_model_folder", json!({"path": "/"})),
        ("remove_model_folder", json!({"path": "/"})),
        ("change_settings", json!({"library_folder": "/"})),
    ] {
        home.refused(command, &request, ErrorCode::NotAllowed);
    }
    // The folder that it is already is no choice.
    let settings = home.get("get_settings", &json!({}));
    home.get("change_settings", &json!({"library_folder": settings["library_folder"], "theme": "dark"}));
}

#[test]
fn hostile_texts_stay_texts() {
    let home = Home::new();
    let prompt = "</script><script>alert('x')</script> \u{202e}\0 '; DROP TABLE pictures; -- <img src=x onerror=alert(1)> 🦊";
    let made = home.make(prompt, 1);
    let id = json!({"id": made["jobs"][0]});
    assert_eq!(home.get("get_picture", &id)["summary"]["prompt"], prompt);
    assert_eq!(home.get("get_picture", &id)["draft"]["prompt"], prompt);
    assert_eq!(home.get("get_request", &json!({"id": made["request"]}))["prompt"], prompt);
    let input = home.get("input_from_picture", &id);
    assert_eq!(home.get("read_input", &json!({"sha256": input["sha256"]}))["draft"]["prompt"], prompt);
    for query in ["'; DROP TABLE pictures; --", "\"", "((((", "* OR 1=1", "rating:", "\0", "tag:%", "-"] {
        home.get("layout_pictures", &json!({"query": query}));
        home.get("page_history", &json!({"query": query, "limit": 5}));
    }
}

#[test]
fn what_starts_from_a_pictures_bytes_is_its_child() {
    let home = Home::new();
    let parent = home.make("a fox", 1)["jobs"][0].clone();
    let input = home.get("input_from_picture", &json!({"id": parent}));
    // Submitted without a word about a parent, as from another window or the terminal.
    let draft = json!({"prompt": "a wolf", "steps": 2, "init_picture": input["sha256"], "strength": 0.5});
    let made = home.get("submit", &json!({"draft": draft, "count": 1}));
    let child = made["jobs"][0].clone();
    home.wait_until("the child is there", || home.ask("get_picture", &json!({"id": child})).is_ok());
    for id in [&parent, &child] {
        let family = home.get("get_lineage", &json!({"id": id}));
        let members = family["members"].as_array().unwrap();
        let ids: Vec<_> = members.iter().map(|member| &member["picture"]["id"]).collect();
        assert_eq!(ids, [&parent, &child], "{family}");
        assert_eq!(members[1]["parent"], 0, "{family}");
    }
}

#[test]
fn without_a_library_everything_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let home = Home::with(folder, &file.join("library"), tarim_render::fake::Script::default());
    let hello = home.get("hello", &json!({}));
    assert_eq!(hello["library"], Value::Null);
    assert_eq!(hello["problems"].as_array().unwrap().len(), 1, "{hello}");
    for command in ["get_queue", "get_facets", "list_collections", "layout_pictures", "rebuild_library"] {
        let error = home.ask(command, &json!({})).unwrap_err();
        assert!(![ErrorCode::Internal, ErrorCode::BadInput].contains(&error.code), "{command}: {error:?}");
    }
    assert!(tarim_api::upload(&home.studio, &png(8, 8)).is_err());
    home.get("list_models", &json!({}));
    home.get("list_presets", &json!({}));

    // Another folder helps.
    let better = home.folder.path().join("better");
    home.get("change_settings", &json!({"library_folder": better}));
    assert_eq!(home.get("hello", &json!({}))["library"]["pictures"], 0);
    home.make("a fox", 1);
}
