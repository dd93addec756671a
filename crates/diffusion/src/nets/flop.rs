//! How many floating-point operations a network needs: what a measured time is compared with.

use super::attention::TransformerShape;
use super::resnet::ResnetShape;
use super::unet_plan::Plan;

/// Operations of convolutions, linear layers and attention for one picture (a multiply-add counts as two); norms and
/// activations, which are bound by memory, are left out.
pub(super) fn unet(plan: &Plan, height: i64, width: i64, tokens: i64) -> f64 {
    let shallowest = plan.first_width();
    let (mut h, mut w) = (height, width);
    let mut flop = conv(h * w, plan.in_channels, shallowest, plan.conv_in_kernel);
    for level in plan.down_levels() {
        for layer in 0..level.layers {
            let inputs = if layer == 0 { level.resnet.inputs } else { level.resnet.outputs };
            flop += resnet(h * w, ResnetShape { inputs, ..level.resnet });
            flop += level.transformer.map_or(0.0, |shape| transformer(h * w, tokens, shape));
        }
        if level.padding.is_some() {
            (h, w) = ((h + 1) / 2, (w + 1) / 2);
            flop += conv(h * w, level.resnet.outputs, level.resnet.outputs, 3);
        }
    }
    if let Some(middle) = &plan.middle {
        let deepest = plan.last_width();
        let shape = plan.resnet(deepest, deepest, 1.0);
        flop += resnet(h * w, shape);
        if let Some(attention) = middle.transformer {
            flop += resnet(h * w, shape) + transformer(h * w, tokens, attention);
        }
    }
    for level in plan.up_levels() {
        for (layer, skip) in level.skips.iter().enumerate() {
            let below = if layer == 0 { level.resnet.inputs } else { level.resnet.outputs };
            flop += resnet(h * w, ResnetShape { inputs: below + skip, ..level.resnet });
            flop += level.transformer.map_or(0.0, |shape| transformer(h * w, tokens, shape));
        }
        if level.upsample {
            (h, w) = ((2 * h).min(height), (2 * w).min(width));
            flop += conv(h * w, level.resnet.outputs, level.resnet.outputs, 3);
        }
    }
    flop + conv(h * w, shallowest, plan.out_channels, plan.conv_out_kernel)
}

fn conv(pixels: i64, inputs: i64, outputs: i64, kernel: i64) -> f64 {
    2.0 * pixels as f64 * (inputs * outputs * kernel * kernel) as f64
}

fn resnet(pixels: i64, shape: ResnetShape) -> f64 {
    let ResnetShape { inputs, outputs, .. } = shape;
    let shortcut = if inputs == outputs { 0.0 } else { conv(pixels, inputs, outputs, 1) };
    conv(pixels, inputs, outputs, 3) + conv(pixels, outputs, outputs, 3) + shortcut
}

fn transformer(pixels: i64, tokens: i64, shape: TransformerShape) -> f64 {
    let c = shape.channels;
    let (own, cross) = (pixels, tokens);
    let attention = |keys: i64, key_dim: i64| {
        // Queries and output, keys and values, and the two products between them.
        conv(pixels, c, 2 * c, 1) + conv(keys, key_dim, 2 * c, 1) + 2.0 * conv(pixels, keys, c, 1)
    };
    let first =
        if shape.only_cross_attention { attention(cross, shape.context_dim) } else { attention(own, c) };
    let feed_forward = conv(pixels, c, 8 * c, 1) + conv(pixels, 4 * c, c, 1);
    let block = first + attention(cross, shape.context_dim) + feed_forward;
    2.0 * conv(pixels, c, c, 1) + shape.layers as f64 * block
}
