module @jit_layer attributes {mhlo.num_partitions = 1 : i32, mhlo.num_replicas = 1 : i32} {
  func.func public @main(%arg0: tensor<2x16x64xf32>, %arg1: tensor<64xf32>, %arg2: tensor<64x64xf32>, %arg3: tensor<64x16xf32>, %arg4: tensor<64x16xf32>, %arg5: tensor<64x64xf32>, %arg6: tensor<64xf32>, %arg7: tensor<64x256xf32>, %arg8: tensor<64x256xf32>, %arg9: tensor<256x64xf32>, %arg10: tensor<16x8xf32>, %arg11: tensor<16x8xf32>) -> (tensor<2x16x64xf32> {jax.result_info = ""}) {
    %0 = stablehlo.multiply %arg0, %arg0 : tensor<2x16x64xf32>
    %cst = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %1 = stablehlo.reduce(%0 init: %cst) applies stablehlo.add across dimensions = [2] : (tensor<2x16x64xf32>, tensor<f32>) -> tensor<2x16xf32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x1xf32>
    %cst_0 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %3 = stablehlo.broadcast_in_dim %cst_0, dims = [] : (tensor<f32>) -> tensor<2x16x1xf32>
    %4 = stablehlo.divide %2, %3 : tensor<2x16x1xf32>
    %cst_1 = stablehlo.constant dense<9.99999997E-7> : tensor<f32>
    %5 = stablehlo.broadcast_in_dim %cst_1, dims = [] : (tensor<f32>) -> tensor<2x16x1xf32>
    %6 = stablehlo.add %4, %5 : tensor<2x16x1xf32>
    %7 = stablehlo.rsqrt %6 : tensor<2x16x1xf32>
    %8 = stablehlo.broadcast_in_dim %7, dims = [0, 1, 2] : (tensor<2x16x1xf32>) -> tensor<2x16x64xf32>
    %9 = stablehlo.multiply %arg0, %8 : tensor<2x16x64xf32>
    %10 = stablehlo.broadcast_in_dim %arg1, dims = [2] : (tensor<64xf32>) -> tensor<1x1x64xf32>
    %11 = stablehlo.broadcast_in_dim %10, dims = [0, 1, 2] : (tensor<1x1x64xf32>) -> tensor<2x16x64xf32>
    %12 = stablehlo.multiply %9, %11 : tensor<2x16x64xf32>
    %13 = stablehlo.dot_general %12, %arg2, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x16x64xf32>, tensor<64x64xf32>) -> tensor<2x16x64xf32>
    %14 = stablehlo.dot_general %12, %arg3, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x16x64xf32>, tensor<64x16xf32>) -> tensor<2x16x16xf32>
    %15 = stablehlo.dot_general %12, %arg4, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x16x64xf32>, tensor<64x16xf32>) -> tensor<2x16x16xf32>
    %16 = stablehlo.reshape %13 : (tensor<2x16x64xf32>) -> tensor<2x16x8x8xf32>
    %17 = stablehlo.transpose %16, dims = [0, 2, 1, 3] : (tensor<2x16x8x8xf32>) -> tensor<2x8x16x8xf32>
    %18 = stablehlo.reshape %14 : (tensor<2x16x16xf32>) -> tensor<2x16x2x8xf32>
    %19 = stablehlo.transpose %18, dims = [0, 2, 1, 3] : (tensor<2x16x2x8xf32>) -> tensor<2x2x16x8xf32>
    %20 = stablehlo.reshape %15 : (tensor<2x16x16xf32>) -> tensor<2x16x2x8xf32>
    %21 = stablehlo.transpose %20, dims = [0, 2, 1, 3] : (tensor<2x16x2x8xf32>) -> tensor<2x2x16x8xf32>
    %22 = stablehlo.broadcast_in_dim %arg10, dims = [2, 3] : (tensor<16x8xf32>) -> tensor<1x1x16x8xf32>
    %23 = stablehlo.broadcast_in_dim %arg11, dims = [2, 3] : (tensor<16x8xf32>) -> tensor<1x1x16x8xf32>
    %24 = stablehlo.broadcast_in_dim %22, dims = [0, 1, 2, 3] : (tensor<1x1x16x8xf32>) -> tensor<2x8x16x8xf32>
    %25 = stablehlo.multiply %17, %24 : tensor<2x8x16x8xf32>
    %26 = stablehlo.slice %17 [0:2, 0:8, 0:16, 0:4] : (tensor<2x8x16x8xf32>) -> tensor<2x8x16x4xf32>
    %27 = stablehlo.slice %17 [0:2, 0:8, 0:16, 4:8] : (tensor<2x8x16x8xf32>) -> tensor<2x8x16x4xf32>
    %28 = stablehlo.negate %27 : tensor<2x8x16x4xf32>
    %29 = stablehlo.concatenate %28, %26, dim = 3 : (tensor<2x8x16x4xf32>, tensor<2x8x16x4xf32>) -> tensor<2x8x16x8xf32>
    %30 = stablehlo.broadcast_in_dim %23, dims = [0, 1, 2, 3] : (tensor<1x1x16x8xf32>) -> tensor<2x8x16x8xf32>
    %31 = stablehlo.multiply %29, %30 : tensor<2x8x16x8xf32>
    %32 = stablehlo.add %25, %31 : tensor<2x8x16x8xf32>
    %33 = stablehlo.broadcast_in_dim %22, dims = [0, 1, 2, 3] : (tensor<1x1x16x8xf32>) -> tensor<2x2x16x8xf32>
    %34 = stablehlo.multiply %19, %33 : tensor<2x2x16x8xf32>
    %35 = stablehlo.slice %19 [0:2, 0:2, 0:16, 0:4] : (tensor<2x2x16x8xf32>) -> tensor<2x2x16x4xf32>
    %36 = stablehlo.slice %19 [0:2, 0:2, 0:16, 4:8] : (tensor<2x2x16x8xf32>) -> tensor<2x2x16x4xf32>
    %37 = stablehlo.negate %36 : tensor<2x2x16x4xf32>
    %38 = stablehlo.concatenate %37, %35, dim = 3 : (tensor<2x2x16x4xf32>, tensor<2x2x16x4xf32>) -> tensor<2x2x16x8xf32>
    %39 = stablehlo.broadcast_in_dim %23, dims = [0, 1, 2, 3] : (tensor<1x1x16x8xf32>) -> tensor<2x2x16x8xf32>
    %40 = stablehlo.multiply %38, %39 : tensor<2x2x16x8xf32>
    %41 = stablehlo.add %34, %40 : tensor<2x2x16x8xf32>
    %42 = stablehlo.broadcast_in_dim %41, dims = [0, 1, 3, 4] : (tensor<2x2x16x8xf32>) -> tensor<2x2x1x16x8xf32>
    %43 = stablehlo.broadcast_in_dim %42, dims = [0, 1, 2, 3, 4] : (tensor<2x2x1x16x8xf32>) -> tensor<2x2x4x16x8xf32>
    %44 = stablehlo.reshape %43 : (tensor<2x2x4x16x8xf32>) -> tensor<2x8x16x8xf32>
    %45 = stablehlo.broadcast_in_dim %21, dims = [0, 1, 3, 4] : (tensor<2x2x16x8xf32>) -> tensor<2x2x1x16x8xf32>
    %46 = stablehlo.broadcast_in_dim %45, dims = [0, 1, 2, 3, 4] : (tensor<2x2x1x16x8xf32>) -> tensor<2x2x4x16x8xf32>
    %47 = stablehlo.reshape %46 : (tensor<2x2x4x16x8xf32>) -> tensor<2x8x16x8xf32>
    %48 = stablehlo.dot_general %32, %44, batching_dims = [0, 1] x [0, 1], contracting_dims = [3] x [3], precision = [DEFAULT, DEFAULT] : (tensor<2x8x16x8xf32>, tensor<2x8x16x8xf32>) -> tensor<2x8x16x16xf32>
    %cst_2 = stablehlo.constant dense<2.82842708> : tensor<f32>
    %49 = stablehlo.broadcast_in_dim %cst_2, dims = [] : (tensor<f32>) -> tensor<2x8x16x16xf32>
    %50 = stablehlo.divide %48, %49 : tensor<2x8x16x16xf32>
    %51 = stablehlo.iota dim = 0 : tensor<16xi32>
    %52 = stablehlo.broadcast_in_dim %51, dims = [0] : (tensor<16xi32>) -> tensor<16x1xi32>
    %53 = stablehlo.broadcast_in_dim %52, dims = [0, 1] : (tensor<16x1xi32>) -> tensor<16x16xi32>
    %54 = stablehlo.broadcast_in_dim %51, dims = [1] : (tensor<16xi32>) -> tensor<1x16xi32>
    %55 = stablehlo.broadcast_in_dim %54, dims = [0, 1] : (tensor<1x16xi32>) -> tensor<16x16xi32>
    %56 = stablehlo.compare  GE, %53, %55,  SIGNED : (tensor<16x16xi32>, tensor<16x16xi32>) -> tensor<16x16xi1>
    %57 = stablehlo.broadcast_in_dim %56, dims = [2, 3] : (tensor<16x16xi1>) -> tensor<1x1x16x16xi1>
    %cst_3 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %58 = call @_where(%57, %50, %cst_3) : (tensor<1x1x16x16xi1>, tensor<2x8x16x16xf32>, tensor<f32>) -> tensor<2x8x16x16xf32>
    %cst_4 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %59 = stablehlo.reduce(%58 init: %cst_4) applies stablehlo.maximum across dimensions = [3] : (tensor<2x8x16x16xf32>, tensor<f32>) -> tensor<2x8x16xf32>
    %cst_5 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %60 = stablehlo.broadcast_in_dim %cst_5, dims = [] : (tensor<f32>) -> tensor<2x8x16xf32>
    %61 = stablehlo.maximum %60, %59 : tensor<2x8x16xf32>
    %62 = stablehlo.broadcast_in_dim %61, dims = [0, 1, 2] : (tensor<2x8x16xf32>) -> tensor<2x8x16x1xf32>
    %63 = stablehlo.broadcast_in_dim %62, dims = [0, 1, 2, 3] : (tensor<2x8x16x1xf32>) -> tensor<2x8x16x16xf32>
    %64 = stablehlo.subtract %58, %63 : tensor<2x8x16x16xf32>
    %65 = stablehlo.exponential %64 : tensor<2x8x16x16xf32>
    %cst_6 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %66 = stablehlo.reduce(%65 init: %cst_6) applies stablehlo.add across dimensions = [3] : (tensor<2x8x16x16xf32>, tensor<f32>) -> tensor<2x8x16xf32>
    %67 = stablehlo.broadcast_in_dim %66, dims = [0, 1, 2] : (tensor<2x8x16xf32>) -> tensor<2x8x16x1xf32>
    %68 = stablehlo.broadcast_in_dim %67, dims = [0, 1, 2, 3] : (tensor<2x8x16x1xf32>) -> tensor<2x8x16x16xf32>
    %69 = stablehlo.divide %65, %68 : tensor<2x8x16x16xf32>
    %70 = stablehlo.dot_general %69, %47, batching_dims = [0, 1] x [0, 1], contracting_dims = [3] x [2], precision = [DEFAULT, DEFAULT] : (tensor<2x8x16x16xf32>, tensor<2x8x16x8xf32>) -> tensor<2x8x16x8xf32>
    %71 = stablehlo.transpose %70, dims = [0, 2, 1, 3] : (tensor<2x8x16x8xf32>) -> tensor<2x16x8x8xf32>
    %72 = stablehlo.reshape %71 : (tensor<2x16x8x8xf32>) -> tensor<2x16x64xf32>
    %73 = stablehlo.dot_general %72, %arg5, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x16x64xf32>, tensor<64x64xf32>) -> tensor<2x16x64xf32>
    %74 = stablehlo.add %arg0, %73 : tensor<2x16x64xf32>
    %75 = stablehlo.multiply %74, %74 : tensor<2x16x64xf32>
    %cst_7 = stablehlo.constant dense<0.000000e+00> : tensor<f32>
    %76 = stablehlo.reduce(%75 init: %cst_7) applies stablehlo.add across dimensions = [2] : (tensor<2x16x64xf32>, tensor<f32>) -> tensor<2x16xf32>
    %77 = stablehlo.broadcast_in_dim %76, dims = [0, 1] : (tensor<2x16xf32>) -> tensor<2x16x1xf32>
    %cst_8 = stablehlo.constant dense<6.400000e+01> : tensor<f32>
    %78 = stablehlo.broadcast_in_dim %cst_8, dims = [] : (tensor<f32>) -> tensor<2x16x1xf32>
    %79 = stablehlo.divide %77, %78 : tensor<2x16x1xf32>
    %cst_9 = stablehlo.constant dense<9.99999997E-7> : tensor<f32>
    %80 = stablehlo.broadcast_in_dim %cst_9, dims = [] : (tensor<f32>) -> tensor<2x16x1xf32>
    %81 = stablehlo.add %79, %80 : tensor<2x16x1xf32>
    %82 = stablehlo.rsqrt %81 : tensor<2x16x1xf32>
    %83 = stablehlo.broadcast_in_dim %82, dims = [0, 1, 2] : (tensor<2x16x1xf32>) -> tensor<2x16x64xf32>
    %84 = stablehlo.multiply %74, %83 : tensor<2x16x64xf32>
    %85 = stablehlo.broadcast_in_dim %arg6, dims = [2] : (tensor<64xf32>) -> tensor<1x1x64xf32>
    %86 = stablehlo.broadcast_in_dim %85, dims = [0, 1, 2] : (tensor<1x1x64xf32>) -> tensor<2x16x64xf32>
    %87 = stablehlo.multiply %84, %86 : tensor<2x16x64xf32>
    %88 = stablehlo.dot_general %87, %arg7, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x16x64xf32>, tensor<64x256xf32>) -> tensor<2x16x256xf32>
    %89 = stablehlo.dot_general %87, %arg8, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x16x64xf32>, tensor<64x256xf32>) -> tensor<2x16x256xf32>
    %90 = call @silu(%88) : (tensor<2x16x256xf32>) -> tensor<2x16x256xf32>
    %91 = stablehlo.multiply %90, %89 : tensor<2x16x256xf32>
    %92 = stablehlo.dot_general %91, %arg9, contracting_dims = [2] x [0], precision = [DEFAULT, DEFAULT] : (tensor<2x16x256xf32>, tensor<256x64xf32>) -> tensor<2x16x64xf32>
    %93 = stablehlo.add %74, %92 : tensor<2x16x64xf32>
    return %93 : tensor<2x16x64xf32>
  }
  func.func private @_where(%arg0: tensor<1x1x16x16xi1>, %arg1: tensor<2x8x16x16xf32>, %arg2: tensor<f32>) -> tensor<2x8x16x16xf32> {
    %0 = stablehlo.convert %arg2 : tensor<f32>
    %1 = stablehlo.broadcast_in_dim %arg0, dims = [0, 1, 2, 3] : (tensor<1x1x16x16xi1>) -> tensor<2x8x16x16xi1>
    %2 = stablehlo.broadcast_in_dim %0, dims = [] : (tensor<f32>) -> tensor<2x8x16x16xf32>
    %3 = stablehlo.select %1, %arg1, %2 : tensor<2x8x16x16xi1>, tensor<2x8x16x16xf32>
    return %3 : tensor<2x8x16x16xf32>
  }
  func.func private @silu(%arg0: tensor<2x16x256xf32>) -> tensor<2x16x256xf32> {
    %0 = stablehlo.negate %arg0 : tensor<2x16x256xf32>
    %1 = stablehlo.exponential %0 : tensor<2x16x256xf32>
    %cst = stablehlo.constant dense<1.000000e+00> : tensor<f32>
    %2 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x16x256xf32>
    %3 = stablehlo.add %2, %1 : tensor<2x16x256xf32>
    %4 = stablehlo.broadcast_in_dim %cst, dims = [] : (tensor<f32>) -> tensor<2x16x256xf32>
    %5 = stablehlo.divide %4, %3 : tensor<2x16x256xf32>
    %6 = stablehlo.multiply %arg0, %5 : tensor<2x16x256xf32>
    return %6 : tensor<2x16x256xf32>
  }
}
