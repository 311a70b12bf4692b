use super::*;

const GOOD: &str = r#"
edge = "0190b5a0-0000-7000-8000-000000000001"
secret = "s3cr3t-of-the-edge"
mqtt_url = "mqtts://broker.example"
plane_url = "https://plane.example:8443/gongshao"
data_dir = "data"
model_dir = "/models/site-ppe"
onnxruntime = "/lib/libonnxruntime.so"
"#;

#[test]
fn a_short_file_is_enough() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("edge.toml");
    fs::write(&file, GOOD).unwrap();
    let config = EdgeConfig::load(&file).unwrap();
    assert_eq!(config.data_dir, folder.path().join("data"));
    assert_eq!(config.model_dir, Path::new("/models/site-ppe"));
    assert_eq!((config.threads, config.outbox), (2, OutboxLimits::default()));
    assert_eq!(config.broker().unwrap(), Broker { host: "broker.example".into(), port: 8883, tls: true });
    assert_eq!(config.plane().unwrap().as_str(), "https://plane.example:8443/gongshao/");
    assert!(!format!("{config:?}").contains("s3cr3t"));
}

#[track_caller]
fn check(replace: &str, by: &str, expect: &str) {
    assert!(GOOD.contains(replace));
    let error = EdgeConfig::parse(&GOOD.replace(replace, by), Path::new("edge.toml")).unwrap_err().to_string();
    assert_eq!(error, expect);
    assert!(!error.contains("s3cr3t"));
}

#[test]
fn errors_name_line_and_key() {
    let unknown = "edge.toml, line 9, treads: unknown field `treads`, expected one of `edge`, `secret`, `mqtt_url`, \
                   `plane_url`, `data_dir`, `model_dir`, `onnxruntime`, `threads`, `ca_file`, `outbox`";
    check("onnxruntime.so\"\n", "onnxruntime.so\"\ntreads = 3\n", unknown);
    check("data_dir = \"data\"\n", "", "edge.toml: missing field `data_dir`");
    check(
        "data_dir = \"data\"",
        "data_dir = 7",
        "edge.toml, line 6, data_dir: invalid type: integer `7`, expected path string",
    );
    check("secret = \"s3cr3t-of-the-edge\"", "secret = 12345", "edge.toml, line 3, secret: must be a text in quotes");
    check("secret = \"s3cr3t-of-the-edge\"", "secret = \" \"", {
        "secret: is empty; the console shows the secret when the edge is made"
    });
    check("onnxruntime.so\"\n", "onnxruntime.so\"\nthreads = 0\n", "threads: must be within 1 to 256");
    check("onnxruntime.so\"\n", "onnxruntime.so\"\n[outbox]\nmax_events = 0\n", {
        "outbox.max_events: must be at least 1"
    });
    check("onnxruntime.so\"\n", "onnxruntime.so\"\n[outbox]\nmax_bytes = 0\n", {
        "edge.toml, line 10, max_bytes: unknown field `max_bytes`, expected `max_evidence_bytes` or `max_events`"
    });
}

#[test]
fn syntax_errors_name_the_line() {
    let error = EdgeConfig::parse(&GOOD.replace("edge\"\n", "edge\n"), Path::new("edge.toml")).unwrap_err();
    assert!(error.to_string().starts_with("edge.toml, line 3, secret: "), "{error}");
    assert!(!error.to_string().contains("s3cr3t"));
    let error = EdgeConfig::parse(&GOOD.replace("-8000-", "-x-"), Path::new("edge.toml")).unwrap_err();
    assert!(error.to_string().starts_with("edge.toml, line 2, edge: "), "{error}");
    let error = EdgeConfig::load(Path::new("/nowhere/edge.toml")).unwrap_err();
    assert!(error.to_string().starts_with("cannot read the configuration /nowhere/edge.toml: "), "{error}");
}

#[test]
fn addresses() {
    let mqtt = "mqtts://broker.example";
    check(mqtt, "broker", {
        "mqtt_url: is not a URL (relative URL without a base); write mqtt://host:1883 or mqtts://host:8883"
    });
    check(mqtt, "http://broker", "mqtt_url: must begin with mqtt:// or mqtts://, not http://");
    check(mqtt, "mqtt:///", "mqtt_url: has no host; write mqtt://host:1883 or mqtts://host:8883");
    check(mqtt, "mqtt://u:p@broker", "mqtt_url: must not carry user or password: `edge` and `secret` are used");
    check(mqtt, "mqtt://broker/topic", {
        "mqtt_url: has a path or query, which MQTT does not know; write mqtt://host:port"
    });
    let plane = "https://plane.example:8443/gongshao";
    check(plane, "ftp://plane", "plane_url: must begin with http:// or https://, not ftp://");
    check(plane, "http://plane/?a=b", "plane_url: must not have a query or fragment");
}

#[test]
fn check_names_each_thing_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = EdgeConfig::parse(GOOD, Path::new("edge.toml")).unwrap();
    config.data_dir = folder.path().join("data");
    config.ca_file = Some(folder.path().join("ca.pem"));
    let keys: Vec<_> = config.check(true).iter().map(|p| p.key).collect();
    assert_eq!(keys, ["model_dir", "onnxruntime", "ca_file"]);

    let model = folder.path().join("model");
    fs::create_dir_all(&model).unwrap();
    fs::write(model.join("manifest.toml"), "rubbish").unwrap();
    fs::write(folder.path().join("lib.so"), "no library").unwrap();
    (config.model_dir, config.onnxruntime, config.ca_file) = (model, folder.path().join("lib.so"), None);
    assert_eq!(config.check(false), []);
    assert_eq!(config.check(true).len(), 1);

    fs::write(folder.path().join("file"), "").unwrap();
    config.data_dir = folder.path().join("file");
    assert_eq!(config.check(false)[0].key, "data_dir");
}
