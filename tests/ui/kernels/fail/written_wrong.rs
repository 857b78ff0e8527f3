mod one {
    use plugin_runtime::prelude::*;

    kernels! {
        fn scale_f32(x: DeviceSlice<f32>);
        source KERNELS = "kernels.cu";
    }
}

mod two {
    use plugin_runtime::prelude::*;

    kernels! {
        sorce KERNELS = "kernels.cu";
    }
}

mod three {
    use plugin_runtime::prelude::*;

    kernels! {
        source KERNELS = "kernels.cu"
        fn scale_f32(x: DeviceSlice<f32>, n: i64, factor: f32, y: DeviceSliceMut<f32>);
    }
}

mod four {
    use plugin_runtime::prelude::*;

    kernels! {
        source KERNELS = "kernels.cu", header ["common.cuh"];
    }
}

mod five {
    use plugin_runtime::prelude::*;

    kernels! {
        source A = "kernels.cu";
        fn scale_f32(x: DeviceSlice<f32>, n: i64, factor: f32, y: DeviceSliceMut<f32>) -> Result<()>;
    }
}

mod six {
    use plugin_runtime::prelude::*;

    kernels! {
        source B = "kernels.cu";
        fn scale_f32(x: DeviceSlice<f32>, n: i64, factor: f32, y: DeviceSliceMut<f32>) {}
    }
}

mod seven {
    use plugin_runtime::prelude::*;

    kernels! {
        source C = "kernels.cu";
        fn add<T>(a: DeviceSlice<T>, b: DeviceSlice<T>, sum: DeviceSliceMut<T>);
        fn scale_f32(x: DeviceSlice<f32>, n: i64 = z.len(), factor: f32, y: DeviceSliceMut<f32>)
    }
}

mod eight {
    use plugin_runtime::prelude::*;

    kernels! {
        source D = "kernels.cu";
        fn add<T in [f32, f64]>(a: DeviceSlice<T>, b: DeviceSlice<T>, sum: DeviceSliceMut<T>);
        source E = "other.cu";
    }
}

fn main() {}
