mod one {
    use plugin_runtime::prelude::*;

    kernels! {
        source NORM = "header.cu";
        fn norm<T in [f32, f16]>(
            x: DeviceSlice<T>,
            bias: DeviceSlice<T>,
            scale: DeviceSlice<T>,
            rows: i64,
            step: u32,
            epsilon: f32,
            n: u32,
            y: DeviceSliceMut<T>,
        );
    }
}

mod other_names {
    use plugin_runtime::prelude::*;

    kernels! {
        source NORM = "header.cu";
        fn norm<T in [f32, f16]>(
            input: DeviceSlice<T>,
            gain: DeviceSlice<T>,
            scale: DeviceSlice<T>,
            rows: i64,
            n: u32,
            step: u32,
            epsilon: f32,
            y: DeviceSliceMut<T>,
        );
    }
}

mod for_several_types {
    use plugin_runtime::prelude::*;

    kernels! {
        source NORM = "header.cu";
        fn one_type<T in [f32, f16]>(x: DeviceSlice<T>, y: DeviceSliceMut<T>);
    }
}

fn main() {}
