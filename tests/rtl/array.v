// R x C cells with the skew of the edges: lane i of the left edge is delayed by i cycles, column j of the top edge by j (OVERLAP = 1 only).
// `busy` tells that an element is still to be used in this cycle or later.
module array #(parameter R = 4, parameter C = 4, parameter OVERLAP = 0) (
    input  wire                  clk,
    input  wire                  a_valid,
    input  wire                  a_first,
    input  wire signed [8*R-1:0] a,
    input  wire                  tile_valid,
    input  wire           [15:0] tile_row,
    input  wire signed [8*C-1:0] tile,
    output wire          [C-1:0] out_valid,
    output wire       [32*C-1:0] out,
    output wire                  busy
);
    wire              valid [0:R-1][0:C];
    wire              first [0:R-1][0:C];
    wire signed [7:0] moving [0:R-1][0:C];
    wire              tvalid [0:R][0:C-1];
    wire       [15:0] trow [0:R][0:C-1];
    wire signed [7:0] tval [0:R][0:C-1];
    wire signed [31:0] sum [0:R][0:C-1];
    wire      [R-1:0] lane_busy;
    wire    [R*C-1:0] cell_busy;
    genvar i, j;
    generate
        for (i = 0; i < R; i = i + 1) begin : rows
            delay #(.WIDTH(10), .STAGES(i)) skew (
                .clk(clk), .in({a_valid, a_first, a[8*i +: 8]}), .out({valid[i][0], first[i][0], moving[i][0]}), .holds(lane_busy[i]));
            for (j = 0; j < C; j = j + 1) begin : columns
                cell_unit #(.OVERLAP(OVERLAP), .ROW(i)) unit (
                    .clk(clk),
                    .a_valid_in(valid[i][j]), .a_first_in(first[i][j]), .a_in(moving[i][j]),
                    .a_valid_out(valid[i][j+1]), .a_first_out(first[i][j+1]), .a_out(moving[i][j+1]),
                    .tile_valid_in(tvalid[i][j]), .tile_row_in(trow[i][j]), .tile_in(tval[i][j]),
                    .tile_valid_out(tvalid[i+1][j]), .tile_row_out(trow[i+1][j]), .tile_out(tval[i+1][j]),
                    .sum_in(sum[i][j]), .sum_out(sum[i+1][j]));
                assign cell_busy[i*C + j] = j < C-1 ? valid[i][j+1] : 1'b0;
            end
        end
        for (j = 0; j < C; j = j + 1) begin : edges
            delay #(.WIDTH(25), .STAGES(OVERLAP ? j : 0)) skew (
                .clk(clk), .in({tile_valid, tile_row, tile[8*j +: 8]}), .out({tvalid[0][j], trow[0][j], tval[0][j]}), .holds());
            assign sum[0][j] = 32'sd0;
            assign out_valid[j] = valid[R-1][j+1];
            assign out[32*j +: 32] = sum[R][j];
        end
    endgenerate
    assign busy = (|lane_busy) | (|cell_busy);
endmodule
