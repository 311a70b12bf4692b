//! demo-camera.
