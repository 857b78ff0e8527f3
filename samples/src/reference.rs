//! r
use half::f16;
/// F
pub trait Float: Copy { /// a
 fn w(self)->f32; /// b
 fn n(x:f32)->Self; }
impl Float for f32 { fn w(self)->f32{self} fn n(x:f32)->f32{x} }
impl Float for f16 { fn w(self)->f32{self.to_f32()} fn n(x:f32)->f16{f16::from_f32(x)} }
/// a
pub fn add<T: Float>(x:&[T], d: i32)->Vec<T> { x.iter().map(|v| T::n(v.w()+d as f32)).collect() }
/// b
pub fn non_zero<T: Float>(x:&[T], dims:&[i64])->Vec<i32> { let w = dims[1].max(1) as usize; x.iter().enumerate().filter(|v| v.1.w()!=0.0).flat_map(|v| [(v.0/w) as i32,(v.0%w) as i32]).collect() }
/// c
pub fn circ_pad<T: Copy>(x:&[T], dims:&[i64], pads:&[i32])->(Vec<i64>,Vec<T>) {
  let r=dims.len(); let mut before=vec![0i64;r]; let mut od=dims.to_vec();
  for (k,p) in pads.chunks(2).enumerate(){ before[r-1-k]=p[0] as i64; od[r-1-k]+=(p[0]+p[1]) as i64; }
  let n:i64=od.iter().product(); let mut out=vec![];
  for i in 0..n { let mut rest=i; let mut src=0; let mut stride=1; for d in (0..r).rev() { let c=rest%od[d]; rest/=od[d]; src+=(c-before[d]).rem_euclid(dims[d])*stride; stride*=dims[d]; } out.push(x[src as usize]); }
  (od,out) }
