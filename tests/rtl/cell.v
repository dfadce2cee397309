// One cell of a weight-stationary array: sum_out := sum_in + weight * a_in, one cycle.
// OVERLAP = 0: one weight register; while tile_valid it takes what comes from above, in all rows at once.
// OVERLAP = 1: a second register takes the row of the next tile that belongs to this cell, rows further down pass through it;
//              it comes into use with the first element of the fold.
module cell_unit #(parameter OVERLAP = 0, parameter ROW = 0) (
    input  wire               clk,
    input  wire               a_valid_in,
    input  wire               a_first_in,
    input  wire signed [7:0]  a_in,
    output reg                a_valid_out,
    output reg                a_first_out,
    output reg  signed [7:0]  a_out,
    input  wire               tile_valid_in,
    input  wire        [15:0] tile_row_in,
    input  wire signed [7:0]  tile_in,
    output wire               tile_valid_out,
    output wire        [15:0] tile_row_out,
    output wire signed [7:0]  tile_out,
    input  wire signed [31:0] sum_in,
    output reg  signed [31:0] sum_out
);
    reg signed [7:0] used = 0;
    wire signed [7:0] weight;

    generate
        if (OVERLAP) begin : double
            reg signed [7:0] next = 0;
            reg [15:0] next_row = 0;
            reg passes = 0;
            assign weight = (a_valid_in && a_first_in) ? next : used;
            assign tile_valid_out = passes;
            assign tile_row_out = next_row;
            assign tile_out = next;
            always @(posedge clk) begin
                used <= weight;
                passes <= tile_valid_in && tile_row_in != ROW;
                if (tile_valid_in) begin
                    next <= tile_in;
                    next_row <= tile_row_in;
                end
            end
        end else begin : single
            assign weight = used;
            assign tile_valid_out = tile_valid_in;
            assign tile_row_out = tile_row_in;
            assign tile_out = used;
            always @(posedge clk) if (tile_valid_in) used <= tile_in;
        end
    endgenerate

    initial begin
        a_valid_out = 0;
        a_first_out = 0;
        a_out = 0;
        sum_out = 0;
    end

    always @(posedge clk) begin
        a_valid_out <= a_valid_in;
        a_first_out <= a_first_in;
        a_out <= a_in;
        sum_out <= sum_in + weight * a_in;
    end
endmodule
