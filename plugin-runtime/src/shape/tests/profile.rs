use crate::shape::{Dims, Interval, Profile, ProfileDims, ProfileError};

fn dims<const N: usize>(extents: [i64; N]) -> Dims {
    Dims::new(&extents).expect("few dimensions")
}

fn message(profile: Profile, inputs: &[(&str, Dims)]) -> String {
    profile.validate(inputs).expect_err("a mistake").to_string()
}

#[test]
fn a_profile_that_fits_is_accepted() {
    let inputs = [("X", dims([-1, 4])), ("static", dims([2])), ("Y", dims([-1, -1]))];
    let profile = Profile::new().dims("Y", [0, 1], [3, 4], [6, 8]).dims("X", [1, 4], [2, 4], vec![2, 4]);
    assert_eq!(profile.validate(&inputs), Ok(()));
    assert_eq!(profile.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["X", "Y"]);
    let y = ProfileDims { min: dims([0, 1]), opt: dims([3, 4]), max: dims([6, 8]) };
    assert_eq!(profile.get("Y"), Some(&y));
    assert_eq!(y.interval(1), Some(Interval { min: 1, max: 8 }));
    assert_eq!(y.interval(2), None);
    assert_eq!(profile.dims("static", [2], [2], [2]).validate(&inputs), Ok(()));
    assert_eq!(Profile::new().validate(&inputs[1..2]), Ok(()));
    assert!(Profile::new().is_empty());
}

#[test]
fn mistakes_name_input_and_dimension() {
    let inputs = [("X", dims([-1, 4]))];
    let x = |min: &[i64], opt: &[i64], max: &[i64]| Profile::new().dims("X", min, opt, max);
    assert_eq!(
        message(Profile::new(), &inputs),
        "input `X` has dynamic dimensions, [-1, 4], but the profile doesn't say their range: add `.dims(\"X\", min, \
         opt, max)`"
    );
    assert_eq!(
        message(x(&[1, 4], &[1, 4], &[1, 4]).dims("Z", [1], [1], [1]), &inputs),
        "the profile names input `Z`, which the network doesn't have; its inputs are: X"
    );
    assert_eq!(
        message(x(&[1, 4], &[1], &[1, 4]), &inputs),
        "the profile's opt of input `X` has 1 dimension, but the input has 2: [-1, 4]"
    );
    let order = "but it needs 0 <= min <= opt <= max";
    for [min, opt, max] in [[2, 1, 3], [1, 3, 2], [-1, 1, 1]] {
        let expected = format!("the profile of input `X` gives dimension 0 min {min}, opt {opt}, max {max}, {order}");
        assert_eq!(message(x(&[min, 4], &[opt, 4], &[max, 4]), &inputs), expected);
    }
    assert_eq!(
        message(x(&[1, 4], &[1, 4], &[1, 5]), &inputs),
        "the profile's max of input `X` has extent 5 in dimension 1, but there the input is static with 4: [-1, 4]"
    );
    assert_eq!(
        message(x(&[1; 9], &[1], &[1]), &inputs),
        "the profile's min of input `X` has 9 dimensions, but a tensor has at most 8"
    );
    let twice = x(&[1, 4], &[1, 4], &[1, 4]).dims("X", [2, 4], [2, 4], [2, 4]);
    assert_eq!(twice.validate(&inputs), Err(ProfileError::Duplicate { input: "X".into() }));
}
