//! The first start: an administrator, a site, an edge. Each step is done once, however often it is asked for.

mod store;

use protocol::{CameraId, CameraSpec, EdgeId, Secret, SiteId, TaskId, TaskSpec, UserId};
use runtime::Clock;
use server_kit::{
    Db, DbError, Role,
    accounts::{self, Account, Passwords},
};

use crate::{
    MIGRATIONS, cameras,
    config::PlaneError,
    edges, sites,
    stream::{self, ChangeKind},
    tasks,
};

/// What the first start makes.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Name of the administrator.
    pub admin: String,
    /// Name of the first site.
    pub site: String,
    /// Name of the first edge.
    pub edge: String,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { admin: "admin".to_owned(), site: "示范工地".to_owned(), edge: "边缘节点 1".to_owned() }
    }
}

/// What is there after the first start. Secrets are given once, when they are made.
#[derive(Clone, Debug)]
pub struct BootstrapOutcome {
    /// Name of the administrator.
    pub admin: String,
    /// The administrator's one-time password, when the administrator was just made.
    pub admin_password: Option<Secret>,
    /// The first site.
    pub site: SiteId,
    /// The first edge.
    pub edge: EdgeId,
    /// The edge's secret, when the edge was just made.
    pub edge_secret: Option<Secret>,
}

/// Opens the database and brings its tables up to date.
///
/// # Errors
/// When it cannot be opened or was written by a newer version.
pub async fn open_database(url: &Secret, clock: &dyn Clock) -> Result<Db, PlaneError> {
    let db = Db::connect(url.expose()).await?;
    let all: Vec<_> = server_kit::MIGRATIONS.iter().chain(MIGRATIONS).copied().collect();
    db.migrate(&all, clock.now()).await?;
    Ok(db)
}

/// Makes what is missing of the administrator, the first site and the first edge.
///
/// # Errors
/// When the database fails.
pub async fn bootstrap(db: &Db, clock: &dyn Clock, first: &Bootstrap) -> Result<BootstrapOutcome, PlaneError> {
    let now = clock.now();
    let mut tx = db.begin().await?;
    let mut admin_password = None;
    if !store::any_user(&mut tx).await? {
        let password = accounts::generate();
        let account = Account {
            id: UserId::new(now),
            username: first.admin.clone(),
            password_hash: Passwords::default().hash(password.clone()).await?,
            role: Role::Admin,
            must_change_password: true,
        };
        accounts::create_user(&mut tx, &account, now).await?;
        admin_password = Some(Secret::new(password));
    }
    let site = if let Some(site) = store::first_site(&mut tx).await? {
        site
    } else {
        let site = SiteId::new(now);
        sites::store::insert(&mut tx, site, &first.site, now).await?;
        site
    };
    let (edge, edge_secret) = if let Some(edge) = store::first_edge(&mut tx, site).await? {
        (edge, None)
    } else {
        let (edge, secret) = (EdgeId::new(now), new_secret());
        let hash = edges::hash_secret(secret.expose());
        edges::store::insert(&mut tx, edge, site, &first.edge, &hash, now).await?;
        (edge, Some(secret))
    };
    tx.commit().await?;
    Ok(BootstrapOutcome { admin: first.admin.clone(), admin_password, site, edge, edge_secret })
}

/// Gives an edge a new secret, for when the old one was lost; `None` when there is no such edge.
///
/// # Errors
/// When the database fails.
pub async fn renew_edge_secret(db: &Db, edge: EdgeId) -> Result<Option<Secret>, DbError> {
    let secret = new_secret();
    let mut tx = db.begin().await?;
    let known = edges::store::set_secret(&mut tx, edge, &edges::hash_secret(secret.expose())).await?;
    tx.commit().await?;
    Ok(known.then_some(secret))
}

/// Sets a new generated password for a user, for when it was lost; `None` when there is no such user.
///
/// # Errors
/// When the database fails.
pub async fn renew_password(db: &Db, username: &str) -> Result<Option<Secret>, PlaneError> {
    let password = accounts::generate();
    let hash = Passwords::default().hash(password.clone()).await?;
    let mut tx = db.begin().await?;
    let Some(user) = accounts::find_user(&mut tx, username).await? else { return Ok(None) };
    accounts::set_generated_password(&mut tx, user.id, &hash).await?;
    tx.commit().await?;
    Ok(Some(Secret::new(password)))
}

/// Makes a camera, or brings its address and credentials up to date (a demo camera has another port at each
/// start). What people called it stays; a camera that they removed stays removed. The caller is trusted: the
/// address may be this machine.
///
/// # Errors
/// When the database fails.
pub async fn ensure_camera(db: &Db, clock: &dyn Clock, edge: EdgeId, spec: &CameraSpec) -> Result<(), DbError> {
    let (now, mut tx) = (clock.now(), db.begin().await?);
    match cameras::store::ownership(&mut tx, spec.id).await? {
        None => cameras::store::insert(&mut tx, spec, edge, now).await?,
        Some(owner) if owner.removed => return Ok(()),
        Some(_) => {
            let Some(stored) = cameras::store::get(&mut tx, spec.id).await? else { return Ok(()) };
            let wanted = CameraSpec { name: stored.spec.name.clone(), ..spec.clone() };
            if wanted == stored.spec && edge == stored.edge {
                return Ok(());
            }
            cameras::store::update(&mut tx, &wanted, edge, stored.version, now).await?;
            if edge != stored.edge {
                edges::store::bump_generation(&mut tx, stored.edge).await?;
            }
        }
    }
    edges::store::bump_generation(&mut tx, edge).await?;
    stream::append(&mut tx, &[(ChangeKind::Camera, spec.id.to_string())], now).await?;
    tx.commit().await
}

/// Makes a task when neither it nor its camera was removed. One that is there stays as people changed it.
///
/// # Errors
/// When the database fails.
pub async fn ensure_task(db: &Db, clock: &dyn Clock, spec: &TaskSpec) -> Result<(), DbError> {
    let (now, mut tx) = (clock.now(), db.begin().await?);
    let Some(camera) = cameras::store::get(&mut tx, spec.camera).await? else { return Ok(()) };
    if tasks::store::name(&mut tx, spec.id).await?.is_some() {
        return Ok(());
    }
    tasks::store::insert(&mut tx, spec, now).await?;
    edges::store::bump_generation(&mut tx, camera.edge).await?;
    stream::append(&mut tx, &[(ChangeKind::Task, spec.id.to_string())], now).await?;
    tx.commit().await
}

/// The cameras and tasks of an edge, by id; for who prints or compares them.
///
/// # Errors
/// When the database fails.
pub async fn configured(db: &Db, edge: EdgeId) -> Result<(Vec<CameraId>, Vec<TaskId>), DbError> {
    let desired = edges::store::desired(&mut *db.read().await?, edge).await?.unwrap_or_default();
    Ok((desired.cameras.iter().map(|c| c.id).collect(), desired.tasks.iter().map(|t| t.id).collect()))
}

fn new_secret() -> Secret {
    Secret::new(hex::encode(rand::random::<[u8; 32]>()))
}
