use media::*;
#[test] fn go() { for (f, c) in [("t.h265", Codec::H265), ("t.h264", Codec::H264)] {
  let d = std::fs::read(format!("/tmp/team/c/{f}")).unwrap();
  let mut aus: Vec<Vec<u8>> = vec![];
  for n in nal::units(&d) { let aud = match c { Codec::H264 => n[0] & 31 == 9, Codec::H265 => n[0] >> 1 == 35 }; if aud { aus.push(vec![]); } nal::push_annex_b(aus.last_mut().unwrap(), n); }
  let p = ParameterSets::new(c).update(&aus[0]).unwrap().unwrap(); println!("{} {}x{} {}", aus.len(), p.width, p.height, p.codec_string);
  let s: Vec<_> = aus.iter().enumerate().map(|(i, a)| mp4::Sample { annex_b: a, key: nal::picture(c, a).unwrap().0, pts_us: i as i64 * 40000 }).collect();
  println!("keys {} disp {}", s.iter().filter(|s| s.key).count(), aus.iter().filter(|a| nal::picture(c, a).unwrap().1).count());
  std::fs::write(format!("/tmp/team/c/{f}.mp4"), mp4::file(&p, &s).unwrap().bytes).unwrap();
  let mut o = fmp4::init_segment(&p).unwrap().to_vec(); let mut fr = fmp4::Fragmenter::new(c, 0);
  for x in &s { if let Some(b) = fr.push(bytes::Bytes::copy_from_slice(x.annex_b), x.key, x.pts_us).unwrap() { o.extend_from_slice(&b); } }
  std::fs::write(format!("/tmp/team/c/{f}.f.mp4"), o).unwrap();
}}
